"""A gRPC server and client on `grpcio`, with messages of plain bytes: what passes is HTTP/2 as gRPC speaks it.

    python grpc_peer.py serve LOG            prints its address, then serves; logs one JSON line for each call's end
    python grpc_peer.py call ADDRESS SCENARIO    prints what the client saw as one JSON object
"""

import json
import queue
import sys
import threading
import time
from concurrent import futures

import grpc

CALLS_AT_ONCE = 100
MEETING_S = 15
LARGE_BYTES = 3 << 20


class Service(grpc.GenericRpcHandler):
    """Every method is told apart by its name."""

    def __init__(self, log):
        self.log = log
        self.lock = threading.Lock()
        self.meeting = threading.Barrier(CALLS_AT_ONCE)

    def service(self, details):
        kinds = {
            "/tests.Calls/Unary": (grpc.unary_unary_rpc_method_handler, self.unary),
            "/tests.Calls/Meet": (grpc.unary_unary_rpc_method_handler, self.meet),
            "/tests.Calls/Count": (grpc.unary_stream_rpc_method_handler, self.count),
            "/tests.Calls/Join": (grpc.stream_unary_rpc_method_handler, self.join),
            "/tests.Calls/Talk": (grpc.stream_stream_rpc_method_handler, self.talk),
            "/tests.Calls/Hang": (grpc.unary_stream_rpc_method_handler, self.hang),
            "/tests.Calls/Fail": (grpc.unary_unary_rpc_method_handler, self.fail),
            "/tests.Calls/FailLate": (grpc.unary_stream_rpc_method_handler, self.fail_late),
        }
        kind = kinds.get(details.method)
        return kind and kind[0](kind[1])

    def write(self, method, context, **more):
        metadata = {key: value if isinstance(value, str) else value.hex() for key, value in context.invocation_metadata()}
        with self.lock:
            self.log.write(json.dumps({"method": method, "peer": context.peer(), "metadata": metadata, **more}) + "\n")

    def unary(self, request, context):
        context.send_initial_metadata((("x-first", "head"),))
        context.set_trailing_metadata((("x-last", "trailer"), ("x-bytes-bin", b"\x00\xff\x01")))
        self.write("Unary", context)
        return request

    def meet(self, request, context):
        self.meeting.wait(MEETING_S)
        self.write("Meet", context)
        return request

    def count(self, request, context):
        for n in range(int(request)):
            yield b"%d" % n

    def join(self, requests, context):
        return b"+".join(requests)

    def talk(self, requests, context):
        for request in requests:
            yield b"re:" + request
        self.write("Talk", context)

    def hang(self, request, context):
        over, began = threading.Event(), time.monotonic()
        context.add_callback(over.set)
        remaining = context.time_remaining()
        yield b"first"
        over.wait(MEETING_S)
        self.write("Hang", context, remaining_s=remaining, active=context.is_active(), lasted_s=time.monotonic() - began)

    def fail(self, request, context):
        context.set_trailing_metadata((("grpc-status-details-bin", b"\x08\x09\x12\x02no"),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not yet: é%")

    def fail_late(self, request, context):
        yield b"one"
        context.set_trailing_metadata((("x-last", "trailer"),))
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "enough")


def serve(log):
    server = grpc.server(futures.ThreadPoolExecutor(CALLS_AT_ONCE + 20))
    server.add_generic_rpc_handlers((Service(open(log, "a", buffering=1, encoding="utf-8")),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


def pairs(metadata):
    return {key: value if isinstance(value, str) else value.hex() for key, value in metadata or ()}


def failure(error):
    return {"code": error.code().name, "details": error.details(), "trailers": pairs(error.trailing_metadata())}


def failing(call):
    try:
        call()
    except grpc.RpcError as error:
        return failure(error)
    return {"code": "OK"}


def unary(channel):
    metadata = (("x-asked", "by metadata"), ("x-asked-bin", b"\x00\x01\xfe"))
    reply, call = channel.unary_unary("/tests.Calls/Unary").with_call(b"hello", metadata=metadata, timeout=MEETING_S)
    large = b"\x5a" * LARGE_BYTES
    same = channel.unary_unary("/tests.Calls/Unary")(large, timeout=MEETING_S) == large
    empty = channel.unary_unary("/tests.Calls/Unary")(b"", timeout=MEETING_S) == b""
    heads, trailers = pairs(call.initial_metadata()), pairs(call.trailing_metadata())
    return {"reply": reply.decode(), "code": call.code().name, "heads": heads, "trailers": trailers, "large": same, "empty": empty}


def streams(channel):
    counted = [m.decode() for m in channel.unary_stream("/tests.Calls/Count")(b"500", timeout=MEETING_S)]
    none = [m.decode() for m in channel.unary_stream("/tests.Calls/Count")(b"0", timeout=MEETING_S)]
    joined = channel.stream_unary("/tests.Calls/Join")(iter([b"a", b"b", b"c"]), timeout=MEETING_S)
    nothing = channel.stream_unary("/tests.Calls/Join")(iter([]), timeout=MEETING_S)
    return {"counted": counted, "none": none, "joined": joined.decode(), "nothing": nothing.decode()}


def talk(channel):
    """Each message is sent only when the reply to the one before has come."""
    asked = queue.Queue()
    replies = channel.stream_stream("/tests.Calls/Talk")(iter(asked.get, None), timeout=MEETING_S)
    seen = []
    for n in range(50):
        asked.put(b"%d" % n)
        seen.append(next(replies).decode())
    asked.put(None)
    return {"seen": seen, "more": [m.decode() for m in replies], "code": replies.code().name}


def fails(channel):
    late = channel.unary_stream("/tests.Calls/FailLate")(b"", timeout=MEETING_S)
    first = next(late).decode()
    return {
        "at_once": failing(lambda: channel.unary_unary("/tests.Calls/Fail")(b"", timeout=MEETING_S)),
        "first": first,
        "late": failing(lambda: next(late)),
        "unknown": failing(lambda: channel.unary_unary("/tests.Calls/Unknown")(b"", timeout=MEETING_S)),
    }


def deadline(channel):
    began = time.monotonic()
    replies = channel.unary_stream("/tests.Calls/Hang")(b"", timeout=1.5)
    seen = next(replies).decode()
    ended = failing(lambda: next(replies))
    return {"seen": seen, **ended, "lasted_s": time.monotonic() - began}


def cancel(channel):
    replies = channel.unary_stream("/tests.Calls/Hang")(b"")
    seen = next(replies).decode()
    replies.cancel()
    code = failing(lambda: next(replies))["code"]
    after = channel.unary_unary("/tests.Calls/Unary")(b"next", timeout=MEETING_S)
    return {"seen": seen, "code": code, "after": after.decode()}


def many(channel):
    """All begin at the same moment, and each waits at the server until all are there."""
    meet = channel.unary_unary("/tests.Calls/Meet")
    calls = [meet.future(b"%d" % n, timeout=MEETING_S) for n in range(CALLS_AT_ONCE)]
    return {"replies": [failure(call)["code"] if call.exception() else call.result().decode() for call in calls]}


def held(channel):
    """Each begins when the one before has been answered, and all stay open until the last has."""
    asked = [queue.Queue() for _ in range(CALLS_AT_ONCE)]
    calls, replies = [], []
    for n, messages in enumerate(asked):
        messages.put(b"%d" % n)
        calls.append(channel.stream_stream("/tests.Calls/Talk")(iter(messages.get, None), timeout=MEETING_S))
        replies.append(next(calls[n]).decode())
    for messages in asked:
        messages.put(None)
    return {"replies": replies, "more": [m.decode() for call in calls for m in call]}


def call(address, scenario):
    scenarios = {f.__name__: f for f in (unary, streams, talk, fails, deadline, cancel, many, held)}
    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        print(json.dumps(scenarios[scenario](channel)))


if __name__ == "__main__":
    {"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
