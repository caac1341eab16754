"""The Open Inference Protocol over HTTP, as tritonclient.http and plain requests speak it."""

import concurrent.futures
import gzip
import json
import random
import socket
import struct
import threading
import time
import zlib

import ml_dtypes
import numpy as np
import pytest
import requests
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from serving.models import DATATYPES

SAMPLES = {
    "BOOL": np.array([[True, False, True], [False, False, True]]),
    "UINT8": np.array([[0, 1, 255]], np.uint8),
    "UINT16": np.array([[0, 1, 65535]], np.uint16),
    "UINT32": np.array([[0, 1, 2**32 - 1]], np.uint32),
    "UINT64": np.array([[0, 2**53 + 1, 2**64 - 1]], np.uint64),
    "INT8": np.array([[-128, 0, 127]], np.int8),
    "INT16": np.array([[-(2**15), 0, 2**15 - 1]], np.int16),
    "INT32": np.array([[-(2**31), 0, 2**31 - 1]], np.int32),
    "INT64": np.array([[-(2**63), 2**53 + 1, 2**63 - 1]], np.int64),
    "FP16": np.array([[0.1, -65504, 6e-8]], np.float16),
    "BF16": np.array([[0.1, -1e38, 3.0]], ml_dtypes.bfloat16),
    "FP32": np.array([[0.1, -3.4028235e38, 1e-45], [np.pi, 1, 16777217]], np.float32),
    "FP64": np.array([[0.1, -1.7976931348623157e308, 5e-324], [np.pi, 1, 2**53 + 1]], np.float64),
    "BYTES": np.array([["", "Grüße", "a\"\\\n\t😀"]], np.object_),
}


@pytest.fixture
def client(serving):
    with triton.InferenceServerClient(serving.http_address, network_timeout=60) as made:
        yield made


def tensor(name, array, binary=True):
    made = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    return made.set_data_from_numpy(array, binary_data=binary)


def infer(client, model, arrays, outputs=None, binary=True, **options):
    """Sends arrays by name; outputs are all in binary, or those of (name, binary)."""
    inputs = [tensor(name, array, binary) for name, array in arrays.items()]
    wanted = outputs and [triton.InferRequestedOutput(name, binary_data=flag) for name, flag in outputs]
    return client.infer(model, inputs, outputs=wanted, **options)


def texts(array):
    """A BYTES answer as text, whether it came as JSON or in binary."""
    return np.array([item.decode() if isinstance(item, bytes) else item for item in array.ravel()], np.object_)


def equal(datatype, got, sent):
    if datatype == "BYTES":
        return (texts(got) == texts(sent)).all() and got.shape == sent.shape
    return got.dtype == sent.dtype and got.shape == sent.shape and got.tobytes() == sent.tobytes()


class TestServer:
    def test_health_and_metadata(self, client):
        assert client.is_server_live() and client.is_server_ready()
        about = client.get_server_metadata()
        assert about["name"] == "apus"
        assert {"binary_tensor_data", "statistics", "model_repository"} <= set(about["extensions"])

    def test_model_readiness(self, client):
        assert client.is_model_ready("simple") and client.is_model_ready("simple", "1")
        assert not client.is_model_ready("simple", "2") and not client.is_model_ready("nothing")

    def test_model_metadata(self, client):
        metadata = client.get_model_metadata("simple")
        assert metadata["name"] == "simple" and metadata["versions"] == ["1"]
        assert metadata["platform"] == "onnxruntime_onnx"
        assert metadata["inputs"] == [
            {"name": name, "datatype": "INT32", "shape": [-1, 16]} for name in ("INPUT0", "INPUT1")
        ]
        assert client.get_model_metadata("scale")["versions"] == ["1", "3"]
        assert client.get_model_metadata("scale", "3")["name"] == "scale"

    @pytest.mark.parametrize("datatype", DATATYPES)
    def test_every_datatype_is_named(self, client, datatype):
        ports = client.get_model_metadata(f"identity_{datatype.lower()}")
        assert ports["inputs"][0]["datatype"] == ports["outputs"][0]["datatype"] == datatype

    def test_config(self, client):
        config = client.get_model_config("simple")
        assert config["max_batch_size"] > 1 and config["backend"] == "onnxruntime"
        assert config["input"][0]["data_type"] == "TYPE_INT32" and config["input"][0]["dims"] == [16]
        assert client.get_model_config("fixed")["max_batch_size"] == 0
        assert client.get_model_config("fixed")["input"][0]["dims"] == [2, 3]

    def test_repository_index(self, client):
        index = {(entry["name"], entry["version"]): entry["state"] for entry in client.get_model_repository_index()}
        assert index[("scale", "1")] == index[("scale", "3")] == index[("iris", "1")] == "READY"

    def test_statistics_count(self, client):
        def counts():
            (found,) = client.get_inference_statistics("dynamic", "1")["model_stats"]
            return found

        before = counts()
        for rows in (1, 3):
            infer(client, "dynamic", {"x": np.ones((rows, 2), np.float32)})
        with pytest.raises(InferenceServerException):
            infer(client, "dynamic", {"y": np.ones((1, 2), np.float32)})
        after = counts()
        assert after["inference_count"] - before["inference_count"] == 4
        assert after["execution_count"] - before["execution_count"] == 2
        success = [stats["inference_stats"]["success"] for stats in (before, after)]
        assert success[1]["count"] - success[0]["count"] == 2 and success[1]["ns"] > success[0]["ns"]
        assert after["inference_stats"]["fail"]["count"] - before["inference_stats"]["fail"]["count"] == 1
        assert after["last_inference"] > time.time() * 1000 - 60_000
        names = {found["name"] for found in client.get_inference_statistics()["model_stats"]}
        assert {"simple", "iris", "dynamic"} <= names
        assert len(client.get_inference_statistics("scale")["model_stats"]) == 2

    def test_what_the_server_does_not_have(self, client):
        assert client.get_system_shared_memory_status() == [] and client.get_cuda_shared_memory_status() == []
        client.unregister_system_shared_memory()
        client.unregister_cuda_shared_memory()
        with pytest.raises(InferenceServerException, match="shared memory"):
            client.register_system_shared_memory("region", "/region", 16)
        assert client.get_trace_settings()["trace_level"] == ["OFF"]
        assert client.get_trace_settings("simple")["trace_level"] == ["OFF"]
        assert client.get_log_settings()["log_error"] is True
        with pytest.raises(InferenceServerException):
            client.update_log_settings({"log_verbose_level": 1})


class TestDatatypes:
    @pytest.mark.parametrize("datatype", DATATYPES)
    @pytest.mark.parametrize("answer", [True, False], ids=["binary", "json"])
    @pytest.mark.parametrize("request_", [True, False], ids=["binary", "json"])
    def test_identity(self, client, datatype, request_, answer):
        if datatype == "BF16" and not (request_ and answer):
            pytest.skip("the client sends and reads bfloat16 in binary only")
        sent = SAMPLES[datatype]
        result = infer(client, f"identity_{datatype.lower()}", {"INPUT": sent}, [("OUTPUT", answer)], binary=request_)
        assert equal(datatype, result.as_numpy("OUTPUT"), sent)
        assert ("parameters" in result.get_output("OUTPUT")) == answer

    def test_bfloat16_in_json(self, serving):
        answer = requests.post(f"{serving.url}/v2/models/identity_bf16/infer", json={
            "inputs": [{"name": "INPUT", "datatype": "BF16", "shape": [1, 3], "data": [0.5, 3.0, 1.00390625]}]
        }).json()
        # The last one lies between two numbers of the type, and goes to the even one.
        assert answer["outputs"][0]["data"] == [0.5, 3.0, 1.0]

    @pytest.mark.parametrize("datatype", sorted(set(DATATYPES) - {"BYTES", "BF16", "BOOL"}))
    def test_many_numbers_by_json(self, client, datatype):
        numbers = np.random.default_rng(4)
        width = SAMPLES[datatype].dtype
        if np.issubdtype(width, np.floating):
            sent = numbers.integers(0, 256, 4000 * width.itemsize, np.uint8).view(width).reshape(4, 1000)
            sent = np.where(np.isfinite(sent), sent, width.type(1))
        else:
            info = np.iinfo(width)
            sent = numbers.integers(info.min, info.max, (4, 1000), width, endpoint=True)
        result = infer(client, f"identity_{datatype.lower()}", {"INPUT": sent}, [("OUTPUT", False)], binary=False)
        assert result.as_numpy("OUTPUT").tobytes() == sent.tobytes()

    def test_not_a_number(self, client, serving):
        sent = np.array([[np.nan, np.inf, -np.inf, 1]], np.float32)
        exact = infer(client, "identity_fp32", {"INPUT": sent}).as_numpy("OUTPUT")
        assert exact.tobytes() == sent.tobytes()
        # Strict JSON has no such numbers.
        plain = infer(client, "identity_fp32", {"INPUT": sent}, [("OUTPUT", False)])
        assert plain.get_output("OUTPUT")["data"] == [None, None, None, 1]
        body = {"inputs": [{"name": "INPUT", "datatype": "FP32", "shape": [1, 2], "data": [None, 1]}]}
        address = f"{serving.url}/v2/models/identity_fp32/infer"
        assert requests.post(address, json=body).json()["outputs"][0]["data"] == [None, 1]
        assert '"data":[NaN,1.0]' in requests.post(f"{address}?allow_nan=true", json=body).text
        assert '"data":[NaN,1.0]' in requests.post(address, json=body | {"parameters": {"allow_nan": True}}).text

    def test_bytes_that_are_no_text(self, client):
        sent = np.array([[b"\xff\xfe", b"abc"]], np.object_)
        result = infer(client, "identity_bytes", {"INPUT": sent})
        assert result.as_numpy("OUTPUT").tolist() == sent.tolist()
        with pytest.raises(InferenceServerException, match="UTF-8"):
            infer(client, "identity_bytes", {"INPUT": sent}, [("OUTPUT", False)])

    @pytest.mark.parametrize("datatype", DATATYPES)
    def test_empty(self, client, datatype):
        sent = np.zeros((0, 3), SAMPLES[datatype].dtype)
        result = infer(client, f"identity_{datatype.lower()}", {"INPUT": sent})
        assert result.as_numpy("OUTPUT").shape == (0, 3)

    def test_a_hundred_thousand_floats(self, client):
        sent = np.random.default_rng(1).standard_normal((100, 1000)).astype(np.float32)
        for binary in (True, False):
            result = infer(client, "identity_fp32", {"INPUT": sent}, [("OUTPUT", binary)], binary=binary)
            assert result.as_numpy("OUTPUT").tobytes() == sent.tobytes()


class TestInference:
    def test_simple(self, client):
        first = np.arange(32, dtype=np.int32).reshape(2, 16)
        second = np.ones((2, 16), np.int32)
        result = infer(client, "simple", {"INPUT0": first, "INPUT1": second}, request_id="call-7")
        assert (result.as_numpy("OUTPUT0") == first + second).all()
        assert (result.as_numpy("OUTPUT1") == first - second).all()
        answer = result.get_response()
        assert (answer["id"], answer["model_name"], answer["model_version"]) == ("call-7", "simple", "1")
        assert "id" not in infer(client, "simple", {"INPUT0": first, "INPUT1": second}).get_response()

    def test_requested_outputs_only(self, client):
        ones = np.ones((1, 16), np.int32)
        result = infer(client, "simple", {"INPUT1": ones, "INPUT0": ones * 5}, [("OUTPUT1", True)])
        assert (result.as_numpy("OUTPUT1") == 4).all() and result.as_numpy("OUTPUT0") is None

    def test_mixed_forms(self, client):
        ones = np.ones((1, 16), np.int32)
        inputs = [tensor("INPUT0", ones * 3, binary=False), tensor("INPUT1", ones)]
        outputs = [triton.InferRequestedOutput("OUTPUT0", binary_data=True),
                   triton.InferRequestedOutput("OUTPUT1", binary_data=False)]
        result = client.infer("simple", inputs, outputs=outputs)
        assert (result.as_numpy("OUTPUT0") == 4).all() and (result.as_numpy("OUTPUT1") == 2).all()

    def test_versions(self, client):
        x = np.ones((1, 4), np.float32)
        assert infer(client, "scale", {"x": x}, model_version="1").as_numpy("y")[0, 0] == 1
        assert infer(client, "scale", {"x": x}, model_version="3").as_numpy("y")[0, 0] == 3
        assert infer(client, "scale", {"x": x}).get_response()["model_version"] == "3"

    def test_iris(self, client, flowers):
        result = infer(client, "iris", {"X": flowers.rows})
        assert (result.as_numpy("label") == flowers.labels).all()
        assert np.allclose(result.as_numpy("probabilities"), flowers.probabilities, atol=1e-5)

    def test_classification(self, client, flowers):
        output = triton.InferRequestedOutput("probabilities", class_count=2)
        result = client.infer("iris", [tensor("X", flowers.rows[:5])], outputs=[output])
        best = [[int(item.decode().split(":")[1]) for item in row] for row in result.as_numpy("probabilities")]
        assert [row[0] for row in best] == flowers.labels[:5].tolist()
        assert all(len(row) == 2 for row in best)

    def test_asynchronous(self, serving):
        with triton.InferenceServerClient(serving.http_address, concurrency=8) as client:
            sent = [np.full((1, 16), number, np.int32) for number in range(32)]
            calls = [client.async_infer("simple", [tensor("INPUT0", one), tensor("INPUT1", one)]) for one in sent]
            for number, call in enumerate(calls):
                assert (call.get_result().as_numpy("OUTPUT0") == 2 * number).all()

    @pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
    def test_compression(self, client, algorithm):
        ones = np.ones((64, 16), np.int32)
        for binary in (True, False):
            result = infer(
                client, "simple", {"INPUT0": ones, "INPUT1": ones}, [("OUTPUT0", binary)], binary=binary,
                request_compression_algorithm=algorithm, response_compression_algorithm=algorithm,
            )
            assert (result.as_numpy("OUTPUT0") == 2).all()

    def test_raw_request(self, serving):
        row = np.array([1.5, 2, 3, 4], np.float32)
        answer = requests.post(
            f"{serving.url}/v2/models/scale/versions/3/infer", data=row.tobytes(),
            headers={"Inference-Header-Content-Length": "0"},
        )
        length = int(answer.headers["Inference-Header-Content-Length"])
        head = json.loads(answer.content[:length])
        assert head["outputs"][0]["shape"] == [1, 4]
        assert np.frombuffer(answer.content[length:], np.float32).tolist() == [4.5, 6, 9, 12]

    def test_trace_context(self, serving):
        header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}
        address = f"{serving.url}/v2/models/scale/infer"
        assert requests.post(address, json=body, headers={"traceparent": header}).headers["traceparent"] == header
        for wrong in (header.upper(), "x", "00-" + "0" * 32 + "-b7ad6b7169203331-01"):
            answer = requests.post(address, json=body, headers={"traceparent": wrong})
            assert answer.status_code == 200 and "traceparent" not in answer.headers

    def test_a_timeout_that_is_long_enough(self, client):
        x = np.ones((1, 4), np.float32)
        assert infer(client, "scale", {"x": x}, timeout=30_000_000).as_numpy("y")[0, 0] == 3

    def test_chunked_body(self, serving):
        body = json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}).encode()
        pieces = (body[start:start + 7] for start in range(0, len(body), 7))
        answer = requests.post(f"{serving.url}/v2/models/scale/infer", data=pieces)
        assert answer.json()["outputs"][0]["data"] == [3, 6, 9, 12]

    def test_two_requests_in_one_packet(self, serving):
        def message(value):
            body = json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [value] * 4}]})
            return (f"POST /v2/models/scale/infer HTTP/1.1\r\nHost: localhost\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

        with socket.create_connection(("127.0.0.1", serving.port), timeout=20) as connection:
            connection.sendall(message(1) + message(2))
            seen = b""
            while seen.count(b"]}]}") < 2:
                piece = connection.recv(65536)
                assert piece, seen
                seen += piece
        assert seen.index(b"[3.0,3.0,3.0,3.0]") < seen.index(b"[6.0,6.0,6.0,6.0]")


class TestConcurrency:
    def test_64_clients_each_get_their_own_answer(self, serving):
        """Rows of different callers share runs; nobody may get another's."""
        rounds = 20
        faults = []
        start = threading.Barrier(64)

        def caller(number):
            random_ = np.random.default_rng(number)
            with requests.Session() as session:
                start.wait()
                for turn in range(rounds):
                    rows = int(random_.integers(1, 5))
                    x = random_.standard_normal((rows, 3)).astype(np.float32)
                    body = {"id": f"{number}-{turn}", "inputs": [
                        {"name": "x", "datatype": "FP32", "shape": [rows, 3], "data": x.tolist()}]}
                    answer = session.post(f"{serving.url}/v2/models/dynamic/infer", json=body).json()
                    got = np.array(answer["outputs"][0]["data"], np.float32)
                    if answer["id"] != f"{number}-{turn}" or not np.allclose(got, x.sum(axis=1), atol=1e-5):
                        faults.append((number, turn, answer))

        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            list(pool.map(caller, range(64)))
        assert not faults

    def test_bad_requests_do_not_spoil_good_ones(self, serving):
        """A run that fails for one of its requests is repeated without it."""
        start = threading.Barrier(48)

        def caller(number):
            index = number % 3 if number % 3 else (7 if number % 2 else 0)
            body = {"inputs": [{"name": "index", "datatype": "INT64", "shape": [1, 1], "data": [index]}]}
            start.wait()
            return index, [requests.post(f"{serving.url}/v2/models/lookup/infer", json=body) for _ in range(5)]

        with concurrent.futures.ThreadPoolExecutor(48) as pool:
            for index, answers in pool.map(caller, range(48)):
                for answer in answers:
                    if index < 3:
                        assert answer.status_code == 200, answer.text
                        assert answer.json()["outputs"][0]["data"] == [[10, 20, 30][index]]
                    else:
                        assert answer.status_code >= 400 and answer.json()["error"]


def case(datatype="FP32", shape=(1, 4), data=(1, 2, 3, 4), name="x", **more):
    return {"inputs": [{"name": name, "datatype": datatype, "shape": list(shape), "data": data}], **more}


WRONG = {
    "empty": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"id":"\xff"}',
    "null": b"null",
    "array": b"[]",
    "no inputs": {},
    "inputs null": {"inputs": None},
    "inputs empty": {"inputs": []},
    "input no object": {"inputs": [1]},
    "input without name": {"inputs": [{"datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]},
    "input without shape": {"inputs": [{"name": "x", "datatype": "FP32", "data": [1, 2, 3, 4]}]},
    "input without datatype": {"inputs": [{"name": "x", "shape": [1, 4], "data": [1, 2, 3, 4]}]},
    "input without data": {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4]}]},
    "unknown input": case(name="nobody"),
    "input twice": {"inputs": case()["inputs"] * 2},
    "datatype of no tensor": case(datatype="FLOAT"),
    "datatype of another model": case(datatype="FP64"),
    "too few elements": case(data=[1, 2, 3]),
    "too many elements": case(data=[1, 2, 3, 4, 5]),
    "ragged": case(shape=(2, 4), data=[[1, 2, 3, 4], [1, 2, 3]]),
    "nested otherwise": case(shape=(2, 4), data=[[1, 2, 3, 4, 5, 6, 7, 8]]),
    "negative dimension": case(shape=(-1, 4)),
    "two negative dimensions": case(shape=(-1, -4)),
    "dimension no number": case(shape=("1", 4)),
    "dimension with fraction": case(shape=(1.5, 4)),
    "million by million": case(shape=(10**6, 10**6), data=[1]),
    "more than memory": case(shape=(2**32, 2**32), data=[1]),
    "more than a word": case(shape=(2**63, 4), data=[1]),
    "zero and huge": case(shape=(0, 2**62), data=[]),
    "wrong rank": case(shape=(4,)),
    "wrong width": case(shape=(1, 5), data=[1, 2, 3, 4, 5]),
    "rank of a thousand": case(shape=(1,) * 1000, data=[1]),
    "text as number": case(data=["1", "2", "3", "4"]),
    "truth as number": case(data=[True, False, True, False]),
    "object as number": case(data=[{}, 2, 3, 4]),
    "number past the end of the type": case(data=[1e39, 2, 3, 4]),
    "data null": case(data=None),
    "data text": case(data="1234"),
    "bare NaN": b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[NaN,1,2,3]}]}',
    "deep": b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":' + b"[" * 5000 + b"]" * 5000 + b"}]}",
    "deeper": b"[" * 1_000_000,
    "id no text": case(id=7),
    "parameters no object": case(parameters=[1]),
    "timeout text": case(parameters={"timeout": "soon"}),
    "timeout negative": case(parameters={"timeout": -5}),
    "outputs no array": case(outputs={}),
    "unknown output": case(outputs=[{"name": "nothing"}]),
    "output twice": case(outputs=[{"name": "y"}, {"name": "y"}]),
    "output without name": case(outputs=[{}]),
    "binary_data no truth": case(outputs=[{"name": "y", "parameters": {"binary_data": 1}}]),
    "binary size without header": {"inputs": [
        {"name": "x", "datatype": "FP32", "shape": [1, 4], "parameters": {"binary_data_size": 16}}]},
}


class TestWrongInput:
    @pytest.mark.parametrize("what", WRONG)
    def test_is_answered_in_kind(self, serving, what):
        body = WRONG[what]
        answer = requests.post(
            f"{serving.url}/v2/models/scale/infer", data=body if isinstance(body, bytes) else json.dumps(body)
        )
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["error"]

    @pytest.mark.parametrize("datatype, value", [
        ("INT8", 300), ("INT8", -129), ("UINT8", 256), ("UINT8", -1), ("INT16", 32768), ("UINT16", 65536),
        ("INT32", 2**31), ("UINT32", 2**32), ("UINT32", -1), ("INT64", 2**63), ("UINT64", 2**64), ("UINT64", -1),
        ("INT32", 1.5), ("INT64", 1e300), ("FP16", 70000), ("FP32", 1e39), ("BOOL", 1), ("BOOL", "maybe"), ("BYTES", 1),
    ])
    def test_values_out_of_range(self, serving, datatype, value):
        body = case(datatype, (1, 1), [value], "INPUT")
        answer = requests.post(f"{serving.url}/v2/models/identity_{datatype.lower()}/infer", json=body)
        assert answer.status_code == 400 and answer.json()["error"]

    @pytest.mark.parametrize("header", ["x", "-1", "1.5", "99999", "", "18446744073709551616"])
    def test_header_length(self, serving, header):
        answer = requests.post(
            f"{serving.url}/v2/models/scale/infer", json=case(), headers={"Inference-Header-Content-Length": header}
        )
        assert answer.status_code == 400 and answer.json()["error"]

    @pytest.mark.parametrize("size, sent", [(16, 15), (16, 17), (12, 12), (20, 20), (2**62, 16)])
    def test_binary_sizes(self, serving, size, sent):
        head = json.dumps({"inputs": [
            {"name": "x", "datatype": "FP32", "shape": [1, 4], "parameters": {"binary_data_size": size}}]}).encode()
        answer = requests.post(
            f"{serving.url}/v2/models/scale/infer", data=head + b"\0" * sent,
            headers={"Inference-Header-Content-Length": str(len(head))},
        )
        assert answer.status_code == 400 and answer.json()["error"]

    def test_texts_that_reach_past_the_end(self, serving):
        for data in (struct.pack("<I", 2**32 - 1) + b"abc", struct.pack("<I", 4) + b"abc", b"\0\0\0"):
            head = json.dumps({"inputs": [{"name": "INPUT", "datatype": "BYTES", "shape": [1, 1],
                                           "parameters": {"binary_data_size": len(data)}}]}).encode()
            answer = requests.post(
                f"{serving.url}/v2/models/identity_bytes/infer", data=head + data,
                headers={"Inference-Header-Content-Length": str(len(head))},
            )
            assert answer.status_code == 400 and answer.json()["error"]

    def test_compressed_bodies(self, serving):
        good = json.dumps(case()).encode()
        address = f"{serving.url}/v2/models/scale/infer"
        for coding, body in [
            ("gzip", good), ("gzip", gzip.compress(good)[:-9]), ("gzip", gzip.compress(good) + b"rest"), ("gzip", b""),
            ("deflate", good), ("deflate", zlib.compress(good)[:-5]), ("br", good), ("gzip, gzip", good),
        ]:
            answer = requests.post(address, data=body, headers={"Content-Encoding": coding})
            assert answer.status_code == 400 and answer.json()["error"], (coding, answer.text)
        # 200 megabytes in 200 kilobytes.
        bomb = gzip.compress(b" " * (200 << 20), 9)
        answer = requests.post(address, data=bomb, headers={"Content-Encoding": "gzip"})
        assert answer.status_code == 400 and "larger" in answer.json()["error"]
        # Without zlib's header, as some clients send it; in two members, as a parallel gzip makes it.
        packer = zlib.compressobj(wbits=-15)
        bare = packer.compress(good) + packer.flush()
        assert requests.post(address, data=bare, headers={"Content-Encoding": "deflate"}).status_code == 200
        members = gzip.compress(good[:20]) + gzip.compress(good[20:])
        assert requests.post(address, data=members, headers={"Content-Encoding": "gzip"}).status_code == 200

    def test_a_body_that_is_too_large(self, serving):
        answer = requests.post(f"{serving.url}/v2/models/scale/infer", data=b" " * (65 << 20))
        assert answer.status_code == 400 and answer.json()["error"]

    @pytest.mark.parametrize("method, path, status", [
        ("GET", "/v2/models/scale/infer", 405), ("PUT", "/v2/models/scale/infer", 405), ("POST", "/v2/health/live", 405),
        ("GET", "/v2/nothing", 404), ("POST", "/v2/models/scale/nothing", 404), ("POST", "/v2/models//infer", 404),
        ("POST", "/v2/models/nothing/infer", 404), ("POST", "/v2/models/scale/versions/2/infer", 404),
        ("POST", "/v2/models/scale/versions/x/infer", 404), ("GET", "/v2/models/..%2F..%2Fetc", 404),
        ("GET", "/v2/models/%00/ready", 404), ("GET", "/v2/models/%FF", 400), ("GET", "/v2/models/nothing/stats", 404),
        ("GET", "/v2/models/nothing/config", 404), ("POST", "/v2/repository/models/nothing/load", 404),
    ])
    def test_addresses(self, serving, method, path, status):
        body = json.dumps(case()) if path.endswith("infer") else None
        answer = requests.request(method, serving.url + path, data=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]

    def test_noise(self, serving):
        """A good request with random bytes changed is answered, and the server lives."""
        noise = random.Random(7)
        head = json.dumps({"id": "a", "parameters": {"timeout": 10_000_000}, "inputs": [
            {"name": "x", "datatype": "FP32", "shape": [1, 4], "parameters": {"binary_data_size": 16}}],
            "outputs": [{"name": "y", "parameters": {"binary_data": True}}]}).encode()
        whole = head + np.arange(4, dtype=np.float32).tobytes()
        seen = set()
        with requests.Session() as session:
            for _ in range(1500):
                body = bytearray(whole)
                for _ in range(noise.randint(1, 4)):
                    place = noise.randrange(len(body))
                    body[place:place + noise.randint(0, 2)] = noise.randbytes(noise.randint(0, 2))
                length = len(head) + noise.choice([0, 0, 0, 1, -1])
                answer = session.post(
                    f"{serving.url}/v2/models/scale/infer", data=bytes(body),
                    headers={"Inference-Header-Content-Length": str(length)},
                )
                seen.add(answer.status_code)
                assert answer.status_code < 500, (bytes(body), answer.text)
                if answer.status_code >= 400:
                    assert answer.json()["error"]
        assert {200, 400} <= seen
        assert serving.is_running()

    def test_a_model_that_fails(self, serving):
        body = {"inputs": [{"name": "index", "datatype": "INT64", "shape": [1, 1], "data": [99]}]}
        answer = requests.post(f"{serving.url}/v2/models/lookup/infer", json=body)
        assert answer.status_code >= 400 and answer.json()["error"]

    def test_callers_who_leave(self, serving):
        """Those who hang up in the middle leave nothing behind."""
        body = json.dumps(case()).encode()
        for cut in (10, len(body) - 1, len(body)):
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", serving.port), timeout=20) as connection:
                    connection.sendall(
                        b"POST /v2/models/scale/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
                        + body[:cut]
                    )
        answer = requests.post(f"{serving.url}/v2/models/scale/infer", data=body)
        assert answer.status_code == 200
