"""Writes tensorboard.json: records of an event file by TensorBoard's own writer (2.21.0), as hexadecimal text.

    python test/golden/make_tensorboard.py > test/golden/tensorboard.json
    python test/golden/make_tensorboard.py read FOLDER      the scalars and histograms of a run, by TensorBoard's own reader
"""
import io
import json
import sys

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


class Kept(io.BytesIO):
    def close(self):
        pass


def record(event):
    file = Kept()
    RecordWriter(file).write(event.SerializeToString())
    return file.getvalue().hex()


def write():
    Value = summary_pb2.Summary.Value
    histogram = summary_pb2.HistogramProto(
        min=-1.5, max=2.5, num=4, sum=3.25, sum_squares=10.5, bucket_limit=[-0.5, 0.5, 1.5, 2.5], bucket=[1, 0, 1, 2]
    )
    values = [Value(tag="loss/train", simple_value=0.1), Value(tag="fc1.weight", histo=histogram)]
    summary = event_pb2.Event(wall_time=1234.5, step=300, summary=summary_pb2.Summary(value=values))
    version = event_pb2.Event(wall_time=1234.5, file_version="brain.Event:2")
    print(json.dumps({"version": record(version), "summary": record(summary)}, indent=1))


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = EventAccumulator(folder, size_guidance={"scalars": 0, "histograms": 0})
    run.Reload()
    tags = run.Tags()
    scalars = {tag: [[e.step, e.value] for e in run.Scalars(tag)] for tag in tags["scalars"]}
    histograms = {
        tag: [[e.step, e.histogram_value.num, sum(e.histogram_value.bucket)] for e in run.Histograms(tag)]
        for tag in tags["histograms"]
    }
    print(json.dumps({"scalars": scalars, "histograms": histograms}))


read(sys.argv[2]) if sys.argv[1:2] == ["read"] else write()
