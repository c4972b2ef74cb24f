"""Makes safetensors.json: files of Python's safetensors as base64 with the values they hold. Run: python make_safetensors.py

With a file's name as argument it reads that file instead, prints what it holds as JSON, and writes it again beside it
(.again), for test/safetensors.test.ts to compare. Needs torch 2.13 and safetensors.
"""
import base64
import json
import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save, save_file


def described(tensor):
    values = tensor.flatten()
    listed = values.to(torch.float64) if values.is_floating_point() else values
    return {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape),
            "values": [str(v) for v in listed.tolist()]}


def case(name, tensors, metadata=None):
    raw = save(tensors, metadata=metadata)
    return {"name": name, "bytes": base64.b64encode(raw).decode(), "metadata": metadata or {},
            "tensors": {key: described(t) for key, t in tensors.items()}}


def every_dtype():
    halves = [0.0, -0.0, 1.0, -2.5, 65504.0, 2.0**-24, -3 * 2.0**-24, 2.0**-14, float("inf"), float("-inf")]
    ints = [0, 1, -1, 127, -128, 5]
    return {
        "f32": torch.tensor([1.5, -0.0, 3.4028234e38, 1e-45, float("inf"), 0.1], dtype=torch.float32).reshape(2, 3),
        "f16": torch.tensor(halves, dtype=torch.float16), "bf16": torch.tensor(halves[:6], dtype=torch.bfloat16),
        "f64": torch.tensor([1.5, -2.0**100, 2.0**-149, float("-inf")], dtype=torch.float64),
        "i64": torch.tensor([0, -1, 2**31 - 1, -2**31], dtype=torch.int64),
        "i32": torch.tensor([2**31 - 1, -2**31, 7], dtype=torch.int32), "i16": torch.tensor(ints, dtype=torch.int16),
        "i8": torch.tensor(ints, dtype=torch.int8), "u8": torch.tensor([0, 255, 7], dtype=torch.uint8),
        "u16": torch.tensor([0, 65535], dtype=torch.uint16), "u32": torch.tensor([0, 2**31 - 1], dtype=torch.uint32),
        "u64": torch.tensor([0, 2**31 - 1], dtype=torch.uint64), "bool": torch.tensor([True, False, True]),
    }


def our_dtypes():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    tensors = {k: v for k, v in net.state_dict().items() if v.dtype == torch.float32}
    return tensors | {"counts": torch.arange(5, dtype=torch.int32), "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3),
                      "Überraschung \"quoted\"\n\t\u0001": torch.ones(1), "\U0001f600": torch.ones(2), "\uffee": torch.ones(1)}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        path = sys.argv[1]
        with safe_open(path, "pt") as f:
            metadata = f.metadata()
        tensors = load_file(path)
        save_file(tensors, path + ".again", metadata=metadata)
        print(json.dumps({"metadata": metadata, "tensors": {k: described(t) for k, t in tensors.items()}}))
    else:
        cases = [case("every dtype", every_dtype()), case("ours", our_dtypes()), case("with metadata", our_dtypes(),
                 {"note": "Größe \"1\"\\\n"}), case("nothing", {}),
                 case("misfit f64", {"x": torch.tensor([1.0, 0.1], dtype=torch.float64)}),
                 case("misfit i64", {"x": torch.tensor([1, 2**40 + 7, -(2**33) - 5], dtype=torch.int64)}),
                 case("misfit u32", {"x": torch.tensor([3, 2**32 - 2], dtype=torch.uint32)}),
                 case("misfit u64", {"x": torch.tensor([3, 2**31], dtype=torch.uint64)}),
                 case("complex", {"x": torch.tensor([1 + 2j])}), case("rank 9", {"x": torch.ones([1] * 9)})]
        out = {"cases": cases}
        pathlib.Path(__file__).with_name("safetensors.json").write_text(json.dumps(out))
