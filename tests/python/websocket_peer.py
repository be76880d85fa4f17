"""A WebSocket server and client on `websockets`.

    python websocket_peer.py serve LOG            prints its address, then serves; logs one JSON line for each connection's end
    python websocket_peer.py call ADDRESS PATH SCENARIO    prints what the client saw as one JSON object
"""

import asyncio
import json
import os
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve as websocket_server
from websockets.exceptions import ConnectionClosed, InvalidStatus

LARGE_BYTES = 1 << 20
SOON_S = 15


async def serve(path):
    log = open(path, "a", buffering=1, encoding="utf-8")

    async def talk(connection):
        request, messages = connection.request, 0
        try:
            if request.path.endswith("/closes"):
                await connection.send("last words")
                await connection.close(4001, "server is done")
                return
            await connection.ping()
            async for message in connection:
                messages += 1
                await connection.send(message)
        except ConnectionClosed:
            pass
        finally:
            await connection.wait_closed()
            headers = {name.lower(): value for name, value in request.headers.raw_items()}
            end = {"code": connection.close_code, "reason": connection.close_reason}
            log.write(json.dumps({"path": request.path, "messages": messages, "headers": headers, **end}) + "\n")

    async with websocket_server(talk, "127.0.0.1", 0, subprotocols=["chat.v2", "chat.v1"], max_size=4 * LARGE_BYTES) as server:
        print("%s:%d" % server.sockets[0].getsockname()[:2], flush=True)
        await asyncio.get_running_loop().create_future()


async def echo(socket):
    await socket.send("नमस्ते")
    text = await socket.recv()
    large = os.urandom(LARGE_BYTES)
    await socket.send(large)
    same = await socket.recv() == large
    await socket.send(["in ", "three ", "pieces"])
    pieces = await socket.recv()
    sent = [b"%d" % n for n in range(200)]
    for message in sent:
        await socket.send(message)
    ordered = [await socket.recv() for _ in sent] == sent
    pong = await socket.ping(b"are you there")
    await asyncio.wait_for(pong, SOON_S)
    await socket.close(4321, "client is done")
    return {"text": text, "large": same, "pieces": pieces, "ordered": ordered, "pong": True, "code": socket.close_code}


async def closed(socket):
    seen = [message async for message in drained(socket)]
    return {"seen": seen, "code": socket.close_code, "reason": socket.close_reason}


async def drained(socket):
    try:
        while True:
            yield await socket.recv()
    except ConnectionClosed:
        return


async def vanishes(socket):
    await socket.send("here")
    await socket.recv()
    print(json.dumps({"here": True}), flush=True)
    os._exit(0)


async def call(address, path, scenario):
    run = {f.__name__: f for f in (echo, closed, vanishes)}[scenario]
    offered = ["chat.v1", "chat.v9"]
    headers = {"x-asked": "by header"}
    options = {"subprotocols": offered, "additional_headers": headers, "proxy": None, "max_size": 4 * LARGE_BYTES}
    try:
        async with connect(f"ws://{address}{path}", **options) as socket:
            seen = await asyncio.wait_for(run(socket), SOON_S)
            seen = {**seen, "subprotocol": socket.subprotocol, "request_id": socket.response.headers.get("x-request-id")}
    except InvalidStatus as error:
        seen = {"status": error.response.status_code, "body": error.response.body.decode()}
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run({"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:]))
