"""Makes metrics.json: random cases of scikit-learn's metrics. Run: python make_metrics.py

Each case: [function, truth, prediction, options (camelCase), result], the result null where scikit-learn refuses; NaN is
text. Needs scikit-learn 1.9.
"""
import json
import math
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn import metrics as sk

warnings.filterwarnings("ignore")
rng = np.random.default_rng(17)
CAMEL = {
    "sample_weight": "sampleWeight", "pos_label": "posLabel", "zero_division": "zeroDivision", "target_names": "targetNames",
    "output_dict": "outputDict", "max_fpr": "maxFpr", "multi_class": "multiClass", "drop_intermediate": "dropIntermediate",
    "force_finite": "forceFinite", "uniform_average": "uniformAverage", "raw_values": "rawValues",
    "variance_weighted": "varianceWeighted", "f1-score": "f1Score",
}


def some(*values):
    return values[rng.integers(len(values))]


def chance(p):
    return bool(rng.random() < p)


def plain(value):
    if isinstance(value, dict):
        return {CAMEL.get(k, k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (np.integer, np.floating, np.str_)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return CAMEL.get(value, value) if isinstance(value, str) else value


def case(name, fn, truth, prediction, options):
    arrays = {k: np.array(v) if k == "sample_weight" else v for k, v in options.items()}
    if isinstance(options.get("zero_division"), str):
        arrays["zero_division"] = np.nan
    try:
        result = fn(np.array(truth), np.array(prediction), **arrays)
    except (ValueError, TypeError, NotImplementedError, AttributeError):
        result = None
    return [name, plain(truth), plain(prediction), plain(options), plain(result)]


def weights(n):
    return {"sample_weight": [float(x) for x in rng.integers(0, 4, n) + some(0, 0.5)]} if chance(0.3) else {}


def words(codes):
    return [["ant", "Bee", "cat", "dodo", "emu"][c] for c in codes]


def labels(n, k):
    truth = rng.integers(0, k, n)
    prediction = np.where(rng.random(n) < 0.6, truth, rng.integers(0, k + int(chance(0.3)), n))
    truth, prediction = truth.tolist(), prediction.tolist()
    if chance(0.3):
        return words(truth), words(prediction)
    return truth, prediction


def sizes():
    return int(rng.integers(2, 25)), int(rng.integers(2, 5))


def classes():
    rows = []
    for _ in range(25):
        n, k = sizes()
        t, p = labels(n, k)
        rows.append(case("accuracyScore", sk.accuracy_score, t, p, {"normalize": chance(0.7), **weights(n)}))
        rows.append(case("balancedAccuracyScore", sk.balanced_accuracy_score, t, p, {"adjusted": chance(0.5), **weights(n)}))
        options = {"normalize": some("true", "pred", "all")} if chance(0.5) else {}
        if chance(0.4):
            options["labels"] = sorted(set(t))[: int(rng.integers(1, 3))][::-1]
        rows.append(case("confusionMatrix", sk.confusion_matrix, t, p, {**options, **weights(n)}))
    for i in range(75):
        n, k = sizes()
        name, fn = [("precisionScore", sk.precision_score), ("recallScore", sk.recall_score), ("f1Score", sk.f1_score)][i % 3]
        options = {"average": some("binary", "micro", "macro", "weighted", "samples", None), "zero_division": some(0, 1, "NaN"), **weights(n)}
        if chance(0.35):  # several labels per row
            t, p = rng.integers(0, 2, (n, k)).tolist(), rng.integers(0, 2, (n, k)).tolist()
            if chance(0.3):
                options["labels"] = [1, 0]
        else:
            t, p = labels(n, 2 if options["average"] == "binary" and chance(0.8) else k)
            if options["average"] == "binary" and isinstance(t[0], str):
                options["pos_label"] = some("Bee", "ant", "none")
            elif chance(0.3):
                options["labels"] = sorted(set(t))[: int(rng.integers(1, 4))]
        rows.append(case(name, fn, t, p, options))
    for _ in range(25):
        n, k = sizes()
        t, p = (rng.integers(0, 2, (n, k)).tolist(), rng.integers(0, 2, (n, k)).tolist()) if chance(0.2) else labels(n, k)
        options = {"zero_division": 0, "output_dict": chance(0.4), "digits": some(2, 2, 3), **weights(n)}
        if chance(0.3) and not isinstance(t[0], list):
            options["labels"] = sorted(set(t))[:2]
            options["target_names"] = ["first", "a rather long name"][: len(options["labels"])]
        rows.append(case("classificationReport", sk.classification_report, t, p, options))
    return rows


def scores(n, k):
    values = rng.random((n, k)) if chance(0.6) else rng.integers(1, 5, (n, k)) / 5
    return values / values.sum(axis=1, keepdims=True)


def rankings():
    rows = []
    for _ in range(60):
        n, k = sizes()
        average = some("micro", "macro", "weighted", None)
        kind = some("binary", "binary", "multiclass", "multilabel")
        extra = weights(n)
        if kind == "binary":
            t = rng.integers(0, 2, n).tolist()
            t = words(t) if chance(0.2) else t
            s = [float(x) for x in (rng.random(n) if chance(0.5) else rng.integers(0, 4, n))]
            pos = {"pos_label": "Bee"} if isinstance(t[0], str) else {}
            rows.append(case("rocAucScore", sk.roc_auc_score, t, s, {**({"max_fpr": some(0.3, 1.0)} if chance(0.3) else {}), **extra}))
            rows.append(case("averagePrecisionScore", sk.average_precision_score, t, s, {**pos, **extra}))
            rows.append(case("rocCurve", lambda a, b, **o: dict(zip(("fpr", "tpr", "thresholds"), sk.roc_curve(a, b, **o))), t, s,
                             {"drop_intermediate": chance(0.7), **pos, **extra}))
        elif kind == "multiclass":
            k = max(k, 3)
            t, s = rng.integers(0, k, n).tolist(), scores(n, k).tolist()
            options = {"average": average, "multi_class": some("ovr", "ovr", "ovo", "raise"), **extra}
            if chance(0.5):
                options["labels"] = list(range(k))
            rows.append(case("rocAucScore", sk.roc_auc_score, t, s, options))
            rows.append(case("averagePrecisionScore", sk.average_precision_score, t, s, {"average": average, **extra}))
        else:
            average = some("micro", "macro", "weighted", "samples", None)
            t, s = rng.integers(0, 2, (n, k)).tolist(), rng.random((n, k)).tolist()
            rows.append(case("rocAucScore", sk.roc_auc_score, t, s, {"average": average, **extra}))
            rows.append(case("averagePrecisionScore", sk.average_precision_score, t, s, {"average": average, **extra}))
    for _ in range(30):
        n, k = sizes()
        t = rng.integers(0, k, n).tolist()
        s = scores(n, k)
        s = s[:, 1].tolist() if k == 2 and chance(0.5) else s.tolist()
        if chance(0.2) and k > 2:
            s[0] = [0.0] * (k - 1) + [1.0]
        options = {"normalize": chance(0.7), **weights(n)}
        if chance(0.5):
            options["labels"] = list(range(k))
        rows.append(case("logLoss", sk.log_loss, words(t) if chance(0.2) and "labels" not in options else t, s, options))
    return rows


def errors():
    rows = []
    for i in range(60):
        n, d = int(rng.integers(1, 20)), some(1, 1, 2, 3)
        t = np.round(rng.normal(some(0, 100), 10.0 ** rng.integers(-2, 3), (n, d)), 3)
        p = np.round(t + rng.normal(0, 1, (n, d)), 3)
        if chance(0.1):
            t[:, 0] = 2.5
        if chance(0.1):
            p[:, 0] = t[:, 0]
        shape = (lambda a: a[:, 0].tolist()) if d == 1 and chance(0.7) else (lambda a: a.tolist())
        options = weights(n)
        if d > 1 and chance(0.7):
            options["multioutput"] = some("raw_values", "uniform_average", [0.5, 0.25, 0.25][:d])
        name, fn = [("meanSquaredError", sk.mean_squared_error), ("rootMeanSquaredError", sk.root_mean_squared_error),
                    ("meanAbsoluteError", sk.mean_absolute_error), ("r2Score", sk.r2_score)][i % 4]
        if name == "r2Score":
            options["force_finite"] = chance(0.7)
            if chance(0.3):
                options["multioutput"] = "variance_weighted"
        rows.append(case(name, fn, shape(t), shape(p), options))
    return rows


if __name__ == "__main__":
    assert sklearn.__version__.startswith("1.9"), sklearn.__version__
    out = classes() + rankings() + errors()
    path = pathlib.Path(__file__).with_name("metrics.json")
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
    names = [row[0] for row in out]
    print({n: (names.count(n), sum(r[0] == n and r[4] is None for r in out)) for n in sorted(set(names))}, len(out), path.stat().st_size)
