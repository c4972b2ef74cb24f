"""Makes tables.json: small files of NumPy, pandas and pyarrow as base64, with what they hold. Run: python make_tables.py

Needs numpy, pandas and pyarrow (25). Values are listed by column; null is missing, integers beyond 2^53 are text.
"""
import base64
import gzip
import io
import json
import pathlib
import struct
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

cases = []


def plain(value):
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value) if abs(int(value)) < 2**53 else str(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if hasattr(value, "isoformat"):
        return pd.Timestamp(value).tz_localize(None).isoformat() if getattr(value, "tzinfo", None) is None else \
            pd.Timestamp(value).tz_convert("UTC").tz_localize(None).isoformat()
    return str(value) if isinstance(value, str) else float(value)


def add(name, raw, columns, types, shape=()):
    cases.append({"name": name, "bytes": base64.b64encode(raw).decode(), "types": types, "shape": list(shape),
                  "columns": {key: [plain(v) for v in values] for key, values in columns.items()}})


def npy(array, **options):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, **options)
    return out.getvalue()


def npy_files():
    kinds = {"f2": "number", "f4": "number", "f8": "number", "i1": "integer", "i2": "integer", "i4": "integer",
             "i8": "integer", "u1": "integer", "u2": "integer", "u4": "integer", "u8": "integer", "b1": "boolean"}
    for kind, told in kinds.items():
        for order in "<>" if kind[1] != "1" else "|":
            values = np.array([0, 1, 100, 3], dtype=order + kind)
            add(f"{kind}{order}.npy", npy(values), {"values": values.tolist()}, {"values": told})
    big = np.array([1, 2**60 + 1], dtype="<i8")
    add("beyond.npy", npy(big), {"values": big.tolist()}, {"values": "integer"})
    for text in (np.array(["a", "bç", "c😀"]), np.array([b"a", b"bc", b"d"])):
        listed = [v if isinstance(v, str) else v.decode() for v in text.tolist()]
        add(f"text-{text.dtype.kind}.npy", npy(text), {"values": listed}, {"values": "text"})
    cube = np.arange(24, dtype="<f4").reshape(4, 2, 3)
    for version in [(1, 0), (2, 0), (3, 0)]:
        add(f"cube-{version[0]}.npy", npy(cube, version=version), {"values": cube.ravel().tolist()}, {"values": "number"}, (2, 3))
    add("fortran.npy", npy(np.asfortranarray(cube)), {"values": cube.ravel().tolist()}, {"values": "number"}, (2, 3))
    add("zipped.npy.gz", gzip.compress(npy(cube), mtime=0), {"values": cube.ravel().tolist()}, {"values": "number"}, (2, 3))
    for save in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        save(out, x=np.array([1.5, 2.5]), y=np.array([3, 4], dtype="<i4"))
        add(f"{save.__name__}.npz", out.getvalue(), {"x": [1.5, 2.5], "y": [3, 4]}, {"x": "number", "y": "integer"})


def idx_files():
    for code, dtype in {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}.items():
        values = np.arange(12).astype(dtype).reshape(3, 2, 2)
        raw = bytes([0, 0, code, 3]) + struct.pack(">3I", 3, 2, 2) + values.tobytes()
        add(f"type-{code}.idx", raw, {"values": values.ravel().tolist()}, {"values": "number" if code > 12 else "integer"}, (2, 2))


def frame():
    return pd.DataFrame({
        "age": [30, 41, 25, 33], "big": [2**60 + 1, -1, 2, 3], "income": [1.5, None, -2.25, 1e300],
        "city": ["Oslo", "Rome", "Oslo", None], "member": [True, False, True, True],
        "day": pd.to_datetime(["2024-02-29", "1969-12-31", "2000-01-01", None]),
        "note": ["comma, here", 'quote " here', "line\nbreak", "ü😀"],
    })


TOLD = {"age": "integer", "big": "integer", "income": "number", "city": "text", "member": "boolean", "day": "date", "note": "text"}


def csv_files():
    table = frame()
    columns = {key: [None if pd.isna(v) else v for v in table[key].tolist()] for key in table}
    for name, options in {"plain": {}, "crlf": {"lineterminator": "\r\n"}, "semicolon": {"sep": ";"}, "tab": {"sep": "\t"},
                          "quoted": {"quoting": 1}, "missing": {"na_rep": "NA"}}.items():
        text = table.to_csv(index=False, **options)
        add(f"{name}.{'tsv' if name == 'tab' else 'csv'}", text.encode(), columns, TOLD)
    text = table.to_csv(index=False)
    add("bom.csv", b"\xef\xbb\xbf" + text.encode(), columns, TOLD)
    add("zipped.csv.gz", gzip.compress(text.encode(), mtime=0), columns, TOLD)
    lines = table.assign(day=table["day"].dt.strftime("%Y-%m-%d")).to_json(orient="records", lines=True, force_ascii=False)
    days = [None if pd.isna(v) else v.strftime("%Y-%m-%d") for v in table["day"]]
    add("rows.jsonl", lines.encode(), columns | {"day": days}, TOLD | {"day": "text"})


def arrow_table():
    return pa.table({
        "age": pa.array([30, None, 25, 33], pa.int8()), "big": pa.array([2**60 + 1, -1, 2, None], pa.int64()),
        "unsigned": pa.array([2**63 + 1, 1, 2, 3], pa.uint64()), "half": pa.array(np.array([1.5, 2, 3, 4], "f2"), pa.float16()),
        "income": pa.array([1.5, None, -2.25, 1e300], pa.float64()), "city": pa.array(["Oslo", "Rome", "Oslo", None]),
        "kind": pa.array(["a", "b", None, "a"]).dictionary_encode(), "member": pa.array([True, None, False, True]),
        "day": pa.array([0, 1, None, 19782], pa.date32()), "moment": pa.array([0, 1_500, None, -1], pa.timestamp("ms")),
        "price": pa.array([Decimal(v) if v else None for v in ("1.25", "-3.5", None, "1000")], pa.decimal128(9, 2)), "nothing": pa.array([None] * 4, pa.null()),
    })


ARROW = {"age": "integer", "big": "integer", "unsigned": "integer", "half": "number", "income": "number", "city": "text",
         "kind": "category", "member": "boolean", "day": "date", "moment": "date", "price": "number", "nothing": "number"}


def arrow_files():
    table = arrow_table()
    columns = {key: table[key].to_pylist() for key in table.column_names}
    for name, opened in {"file": pa.ipc.new_file, "stream": pa.ipc.new_stream}.items():
        out = io.BytesIO()
        with opened(out, table.schema) as writer:
            writer.write_table(table.slice(0, 1))
            writer.write_table(table.slice(1))
        add(f"{name}.arrow", out.getvalue(), columns, ARROW)
    table = table.drop_columns(["nothing"])
    told = {key: value for key, value in ARROW.items() if key != "nothing"}
    for codec in ["none", "snappy", "gzip", "brotli", "zstd"]:
        out = io.BytesIO()
        pa.parquet.write_table(table, out, compression=codec, row_group_size=3)
        named = {key: columns[key] for key in told}
        add(f"{codec}.parquet", out.getvalue(), named, told | {"kind": "text"})
    for codec in ["lz4", "zstd"]:
        out = io.BytesIO()
        pa.feather.write_feather(table, out, compression=codec)
        add(f"refused-{codec}.feather", out.getvalue(), {}, {})


if __name__ == "__main__":
    npy_files()
    idx_files()
    csv_files()
    arrow_files()
    pathlib.Path(__file__).with_name("tables.json").write_text(json.dumps({"cases": cases}, ensure_ascii=False))
