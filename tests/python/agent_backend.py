"""A FastAPI agent backend with OpenAI-shaped chat completions, as a team would write it.

It keeps its own log: one JSON line for each request, with what it was told and the tokens it really served. The tests
compare the gateway's totals with it.

    python agent_backend.py LOG      prints its address, then serves
"""

import asyncio
import json
import socket
import sys
import time

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

LOG = open(sys.argv[1], "a", buffering=1, encoding="utf-8")
REPLY = "Dear Asha, I wrote to asha.rao@example.in about 2345 6789 0124 and will call +91 98765 43210 at once ."
FORWARDED = ("x-raptorgate-tenant", "x-raptorgate-user", "x-raptorgate-scopes", "x-request-id", "traceparent", "authorization", "x-api-key")

app = FastAPI()


@app.get("/v1/models")
async def models():
    return {"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model", "created": 1700000000, "owned_by": "tests"}]}


@app.post("/v1/chat/completions")
async def chat(request: Request):
    body = await request.json()
    entry = {
        "user": request.headers.get("x-raptorgate-user"),
        "headers": {name: request.headers[name] for name in FORWARDED if name in request.headers},
        "messages": body["messages"],
        "prompt_tokens": sum(len(str(m.get("content") or "").split()) for m in body["messages"]),
        "completion_tokens": 0,
        "end": "peer_left",
    }
    if body["model"] == "unknown-model":
        error = {"message": "no such model", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}
        write(entry, end="whole")
        return JSONResponse({"error": error}, status_code=404)
    if body.get("stream"):
        wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        return StreamingResponse(stream(body, entry, wants_usage), media_type="text/event-stream")
    message, finish = answer(body)
    entry["completion_tokens"] = tokens_of(message)
    write(entry, end="whole")
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": usage(entry),
    }


def write(entry, **more):
    LOG.write(json.dumps({**entry, **more}) + "\n")


def usage(entry):
    prompt, completion = entry["prompt_tokens"], entry["completion_tokens"]
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def answer(body):
    """The reply's message: a tool call if tools are offered, else a text full of personal data."""
    if body.get("tools"):
        arguments = json.dumps({"to": "asha.rao@example.in", "subject": "Your refund"})
        call = {"id": "call_1", "type": "function", "function": {"name": body["tools"][0]["function"]["name"], "arguments": arguments}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
    return {"role": "assistant", "content": REPLY}, "stop"


def tokens_of(message):
    calls = "".join(call["function"]["arguments"] for call in message.get("tool_calls") or [])
    return len(((message.get("content") or "") + calls).split())


def deltas(message):
    """What a model would send piece by piece; a piece ends where its token ends, not where a value does."""
    for call in message.get("tool_calls") or []:
        head = {"index": 0, "id": call["id"], "type": "function", "function": {"name": call["function"]["name"], "arguments": ""}}
        yield {"role": "assistant", "content": None, "tool_calls": [head]}
        for piece in pieces(call["function"]["arguments"]):
            yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
    if message.get("content"):
        yield {"role": "assistant", "content": ""}
        for piece in pieces(message["content"]):
            yield {"content": piece}


def pieces(text):
    words = text.split(" ")
    for n, word in enumerate(words):
        yield word if n == len(words) - 1 else word + " "


async def stream(body, entry, wants_usage):
    message, finish = answer(body)
    end = "peer_left"

    def event(choices, **more):
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": int(time.time()), "model": body["model"]}
        return "data: " + json.dumps({**head, "choices": choices, **more}) + "\n\n"

    try:
        repeat = int(body.get("metadata", {}).get("repeat", 1))
        pause = float(body.get("metadata", {}).get("pause_s", 0.0))
        for _ in range(repeat):
            for delta in deltas(message):
                yield event([{"index": 0, "delta": delta, "finish_reason": None}])
                entry["completion_tokens"] += 1 if delta.get("content") or delta.get("tool_calls", [{}])[0].get("function", {}).get("arguments") else 0
                await asyncio.sleep(pause)
        yield event([{"index": 0, "delta": {}, "finish_reason": finish}])
        if wants_usage:
            yield event([], usage=usage(entry))
        end = "whole"
        yield "data: [DONE]\n\n"
    finally:
        write(entry, end=end)


def main():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print("%s:%d" % listener.getsockname(), flush=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
