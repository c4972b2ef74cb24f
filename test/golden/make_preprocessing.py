"""Makes preprocessing.json: random cases of scikit-learn's transformers. Run: python make_preprocessing.py

Each case: its transformer, options (camelCase), what it is fitted to (X, or parts for partial_fit) and transforms (T), then
what scikit-learn learned, gave (float32, base64), gave back (values), or null where it refuses. null is a missing value.
Needs scikit-learn 1.9.
"""
import base64
import json
import math
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn import preprocessing as sk
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

warnings.filterwarnings("ignore")
rng = np.random.default_rng(16)
NAN = float("nan")
WORDS = ["Berlin", "Bern", "Zürich", "äöü", "a", "B", "", "x y", "\U0001f600", "\uff5e", "10", "9"]


def some(*values):
    return values[rng.integers(len(values))]


def chance(p):
    return bool(rng.random() < p)


def numbers(n, d, missing=0.0):
    columns = []
    for _ in range(d):
        scale, offset = 10.0 ** rng.integers(-3, 4), some(0, 0, 1, -3) * 10.0 ** rng.integers(-1, 5)
        column = [float(f"{x:.4g}") for x in rng.normal(offset, scale, n)]
        if chance(0.15):
            column = [some(0.1, 7.0, 0.0, 1e-20)] * n
        if chance(0.2):
            column = [float(rng.integers(0, 4)) for _ in range(n)]
        columns.append([NAN if chance(missing) else x for x in column])
    return [list(row) for row in zip(*columns)]


def vocabulary():
    if chance(0.4):
        return [float(x) for x in rng.choice(12, rng.integers(1, 6), replace=False)]
    return [str(w) for w in rng.choice(WORDS, rng.integers(1, 6), replace=False)]


def categories(n, vocabularies, missing=0.0):
    columns = []
    for words in vocabularies:
        p = rng.dirichlet(np.ones(len(words)))
        columns.append([NAN if chance(missing) else words[rng.choice(len(words), p=p)] for _ in range(n)])
    return [list(row) for row in zip(*columns)]


def plain(value):
    """null for missing, text for other numbers that JSON lacks."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (np.integer, np.floating)):
        value = value.item()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            return str(value)
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return None if value is None else value


def packed(array):
    array = np.asarray(array, dtype=np.float32)
    return {"shape": list(array.shape), "f32": base64.b64encode(array.tobytes()).decode()}


def attempt(fn):
    try:
        return fn()
    except (ValueError, TypeError, IndexError, AttributeError):
        return None


def camel(options):
    names = {"most_frequent": "mostFrequent", "if_binary": "ifBinary", "infrequent_if_exist": "infrequentIfExist", "use_encoded_value": "useEncodedValue"}
    out = {}
    for key, value in options.items():
        head, *rest = key.split("_")
        out[head + "".join(word.title() for word in rest)] = names.get(value, plain(value)) if isinstance(value, str) else plain(value)
    return out


def as_input(rows):
    return np.array(rows, dtype=object if any(isinstance(x, str) for row in rows for x in row) else float)


def learned(transformer, fields):
    return {field: plain(getattr(transformer, field + "_")) for field in fields}


def case(kind, options, X, T, fields, make, parts=None, weights=None):
    row = {"kind": kind, "options": camel(options), "X": plain(X), "T": plain(T)}
    if parts:
        row["parts"] = parts
    if weights is not None:
        row["weights"] = plain(weights)

    def fitted():
        t = make(options)
        data = as_input(X)
        if parts:
            at = 0
            for n in parts:
                t.partial_fit(data[at : at + n], **({"sample_weight": np.array(weights[at : at + n])} if weights is not None else {}))
                at += n
        elif weights is not None:
            t.fit(data, sample_weight=np.array(weights))
        else:
            t.fit(data)
        return t

    t = attempt(fitted)
    row["fits"] = t is not None
    if t is None:
        return row
    row["learned"] = learned(t, fields)
    y = attempt(lambda: t.transform(as_input(T)))
    row["y"] = None if y is None else packed(y)
    if y is not None and hasattr(t, "inverse_transform"):
        back = attempt(lambda: t.inverse_transform(np.asarray(y, dtype=np.float32).astype(float)))
        row["back"] = None if back is None else packed(back) if back.dtype == float and hasattr(t, "clip") | hasattr(t, "copy") else plain(back)
    return row


def scalers():
    rows = []
    for i in range(120):
        n, d = int(rng.integers(1, 25)), int(rng.integers(1, 4))
        X, T = numbers(n, d, some(0, 0, 0.2)), numbers(3, d, 0.1)
        parts = [int(n // 2), n - int(n // 2)] if n > 1 and chance(0.4) else None
        if i % 3 == 0:
            options = {"with_mean": chance(0.8), "with_std": chance(0.8)}
            weights = [float(x) for x in rng.integers(0, 4, n) + 0.5] if chance(0.3) else None
            fields = ["mean", "var", "scale", "n_samples_seen"]
            rows.append(case("StandardScaler", options, X, T, fields, lambda o: sk.StandardScaler(**o), parts, weights))
        elif i % 3 == 1:
            options = {"feature_range": some((0, 1), (-1, 1), (0.1, 0.7), (2, 1)), "clip": chance(0.3)}
            fields = ["min", "scale", "data_min", "data_max", "data_range", "n_samples_seen"]
            rows.append(case("MinMaxScaler", options, X, T, fields, lambda o: sk.MinMaxScaler(**o), parts))
        else:
            options = {"with_centering": chance(0.8), "with_scaling": chance(0.8), "unit_variance": chance(0.4),
                       "quantile_range": some((25.0, 75.0), (10.0, 90.0), (5.0, 50.0), (40.0, 30.0), (0.0, 33.0))}
            if options["unit_variance"] and options["quantile_range"][0] == 0:
                options["unit_variance"] = False
            rows.append(case("RobustScaler", options, X, T, ["center", "scale"], lambda o: sk.RobustScaler(**o)))
    return rows


def imputers():
    rows = []
    for _ in range(45):
        n, d = int(rng.integers(1, 15)), int(rng.integers(1, 4))
        marked = chance(0.2)
        X, T = numbers(n, d, 0 if marked else 0.3), numbers(3, d, 0 if marked else 0.4)
        if marked:
            X, T = [[[-1.0 if chance(0.3) else x for x in row] for row in rows_] for rows_ in (X, T)]
        options = {"strategy": some("mean", "median", "most_frequent", "constant"), "add_indicator": chance(0.4),
                   "keep_empty_features": chance(0.4), "missing_values": -1.0 if marked else NAN}
        if options["strategy"] == "constant" and chance(0.6):
            options["fill_value"] = some(5.0, -2.5)
        rows.append(case("SimpleImputer", options, X, T, ["statistics"], lambda o: SimpleImputer(**o)))
    for _ in range(15):
        words = [[str(w) for w in rng.choice(WORDS, 4, replace=False)] for _ in range(2)]
        X, T = categories(12, words, 0.3), categories(3, words, 0.4)
        options = {"strategy": some("most_frequent", "constant")}
        t = make_pipeline(SimpleImputer(**options), sk.OrdinalEncoder()).fit(as_input(X))
        y = attempt(lambda: t.transform(as_input(T)))
        rows.append({"kind": "imputedText", "options": camel(options), "X": plain(X), "T": plain(T), "fits": True,
                     "learned": {"statistics": plain(t[0].statistics_)}, "y": None if y is None else packed(y)})
    return rows


def encoders():
    rows = []
    for i in range(170):
        vocabularies = [vocabulary() for _ in range(int(rng.integers(1, 4)))]
        if chance(0.7):
            kind = some(str, float)
            vocabularies = [v for v in vocabularies if isinstance(v[0], kind)] or [["u", "v", "w"]]
        text = any(isinstance(v[0], str) for v in vocabularies)
        X = categories(int(rng.integers(1, 20)), vocabularies, some(0, 0, 0.2))
        T = categories(4, [v + [some(*WORDS) if isinstance(v[0], str) else 77.0] if chance(0.5) else v for v in vocabularies], some(0, 0, 0.2))
        options = {}
        if chance(0.3):
            options["min_frequency"] = some(2, 3, 0.2)
        if chance(0.3):
            options["max_categories"] = int(rng.integers(1, 4))
        if chance(0.25):
            given = [sorted(set(v)) + ([NAN] if chance(0.3) else []) for v in vocabularies]
            if chance(0.3) and len({type(v[0]) for v in vocabularies}) == 1:  # beside text, numbers need not rise there
                given[0] = given[0][::-1]
            options["categories"] = given
        grouped = "min_frequency" in options or "max_categories" in options
        if i % 2:
            options["handle_unknown"] = some("error", "ignore", "infrequent_if_exist", "warn")
            if chance(0.5):
                options["drop"] = some("first", "if_binary", [v[0] for v in vocabularies])
            rows.append(case("OneHotEncoder", options, X, T, ["categories"], lambda o: sk.OneHotEncoder(sparse_output=False, **o)))
            if grouped and options.get("drop") and options["handle_unknown"] != "error":
                rows[-1].pop("back", None)  # scikit-learn takes the number of a group for that of a category
            if text and "categories" not in options:
                rows[-1]["names"] = one_hot_names(X, options)
        else:
            if chance(0.5):
                options.update(handle_unknown="use_encoded_value", unknown_value=some(-1, 99, 1, NAN))
            if chance(0.4):
                options["encoded_missing_value"] = some(-2, 50, 0)
            own = {1, 0} & {options.get("unknown_value"), options.get("encoded_missing_value")}
            if not (own and grouped):  # scikit-learn lets such values share the code of infrequent ones; here that is refused
                rows.append(case("OrdinalEncoder", options, X, T, ["categories"], lambda o: sk.OrdinalEncoder(**o)))
                if grouped and any(x is None for of in rows[-1].get("learned", {}).get("categories", []) for x in of):
                    rows[-1].pop("back", None)  # scikit-learn counts the missing one twice here
    return rows


def one_hot_names(X, options):
    t = attempt(lambda: sk.OneHotEncoder(**options).fit(as_input(X)))
    if t is None or any(not isinstance(c, str) for of in t.categories_ for c in of):
        return None
    return list(t.get_feature_names_out())


def labels():
    rows = []
    for _ in range(25):
        words = vocabulary()
        y = [some(*words) for _ in range(10)]
        t = sk.LabelEncoder().fit(y)
        test = [some(*(words + ["new" if isinstance(words[0], str) else 55.0] * 1)) for _ in range(3)]
        codes = attempt(lambda: t.transform(test))
        rows.append({"y": plain(y), "T": plain(test), "classes": plain(t.classes_), "codes": None if codes is None else plain(codes)})
    return rows


def columns():
    rows = []
    for _ in range(25):
        X, T = numbers(12, 4, 0.2), numbers(3, 4)
        chosen = [int(c) for c in rng.permutation(4)]
        cut = int(rng.integers(1, 4))
        one, two, remainder = chosen[:cut], chosen[cut : cut + 1], some("drop", "passthrough")
        t = ColumnTransformer(
            [("a", make_pipeline(SimpleImputer(), sk.StandardScaler()), one), ("b", sk.MinMaxScaler(), two)], remainder=remainder
        ).fit(as_input(X))
        rows.append({"X": plain(X), "T": plain(T), "one": one, "two": two, "remainder": remainder, "y": packed(t.transform(as_input(T))),
                     "names": list(t.get_feature_names_out())})
    return rows


if __name__ == "__main__":
    assert sklearn.__version__.startswith("1.9"), sklearn.__version__
    out = {"cases": scalers() + imputers() + encoders(), "labels": labels(), "columns": columns()}
    path = pathlib.Path(__file__).with_name("preprocessing.json")
    path.write_text(json.dumps(out, ensure_ascii=True, separators=(",", ":")) + "\n")
    fits = [c["kind"] for c in out["cases"]]
    print({k: (fits.count(k), sum(not c["fits"] for c in out["cases"] if c["kind"] == k), sum(c.get("y", 0) is None for c in out["cases"] if c["kind"] == k)) for k in set(fits)}, path.stat().st_size)
