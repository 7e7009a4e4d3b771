"""Calls one method of a container runtime's CRI (runtime.v1).

    cri.py SOCKET METHOD MESSAGE [FIELD]

MESSAGE is JSON in which the numbers of fields are the keys: {"1": {"1": "name"}}. A list is a repeated field. FIELD is a
path of numbers, such as 1.5.1: its values are printed, a line each. Needs Debian's python3-grpcio.
"""

import json
import sys

import grpc


def varint(number):
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes(encoded) + bytes([number])


def encode(message):
    encoded = b""
    for number, values in message.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, int):
                encoded += varint(int(number) << 3) + varint(value)
                continue
            content = encode(value) if isinstance(value, dict) else value.encode()
            encoded += varint(int(number) << 3 | 2) + varint(len(content)) + content
    return encoded


def read_varint(encoded, at):
    number = shift = 0
    while True:
        number |= (encoded[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if encoded[at - 1] < 128:
            return number, at


def values(encoded, wanted):
    """The values of a field, numbers or bytes. CRI has no fields of fixed width."""
    at = 0
    while at < len(encoded):
        tag, at = read_varint(encoded, at)
        value, at = read_varint(encoded, at)
        if tag & 7 == 2:
            value, at = encoded[at : at + value], at + value
        if tag >> 3 == wanted:
            yield value


def values_at(encoded, path):
    first, *rest = path
    for value in values(encoded, first):
        if rest:
            yield from values_at(value, rest)
        else:
            yield value if isinstance(value, int) else value.decode()


def main(socket, method, message, field=None):
    channel = grpc.insecure_channel(f"unix://{socket}")
    call = channel.unary_unary(f"/runtime.v1.RuntimeService/{method}", request_serializer=encode)
    try:
        reply = call(json.loads(message), timeout=60)
    except grpc.RpcError as error:
        sys.exit(f"{method}: {error.code().name}: {error.details()}")
    for value in values_at(reply, map(int, field.split("."))) if field else ():
        print(value)


main(*sys.argv[1:])
