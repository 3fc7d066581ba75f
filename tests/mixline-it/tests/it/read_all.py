"""Reads every version of every artifact with four readers and compares them with `mixline`."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import polars
import pyarrow.parquet
from deltalake import DeltaTable

mixline, project = sys.argv[1], Path(sys.argv[2])
store = project / "store"


def export(name, version):
    file = project / "export.parquet"
    subprocess.run(
        [mixline, "artifact", "export", f"{name}@{version}", "--to", str(file)],
        cwd=project, check=True, capture_output=True,
    )
    frame = polars.read_parquet(file)
    file.unlink()
    return frame


def files(name, version):
    out = subprocess.run(
        [mixline, "artifact", "files", f"{name}@{version}", "--json"],
        cwd=project, check=True, capture_output=True,
    )
    return [store / name / f["path"].split(f"{name}/")[-1] for f in json.loads(out.stdout)["files"]]


def refused(name, version):
    """A version that gc has taken is refused with a word about gc."""
    out = subprocess.run(
        [mixline, "artifact", "export", f"{name}@{version}", "--to", str(project / "gone.parquet")],
        cwd=project, capture_output=True, text=True,
    )
    assert out.returncode != 0 and "gc" in out.stderr, f"{name}@{version}: {out.stderr}"


def same(left, right, what):
    left, right = (f.sort(f.columns) if f.height else f for f in (left.select(right.columns), right))
    assert left.height == right.height, f"{what}: {left.height} rows, expected {right.height}"
    assert left.equals(right), f"{what}: rows differ"


for folder in sorted(p for p in store.iterdir() if (p / "_delta_log").is_dir()):
    name = folder.name
    head = DeltaTable(str(folder)).version()
    taken = 0
    for version in range(head + 1):
        if not all(p.exists() for p in files(name, version)):
            assert version < head, f"{name}: gc took the newest version"
            refused(name, version)
            taken += 1
            continue
        ours = export(name, version)
        same(polars.scan_delta(str(folder), version=version).collect(), ours, f"polars {name}@{version}")
        arrow = DeltaTable(str(folder), version=version).to_pyarrow_table()
        same(polars.from_arrow(arrow), ours, f"deltalake {name}@{version}")
        parts = files(name, version)
        if parts:
            listed = [str(p) for p in parts]
            duck = duckdb.sql(f"select count(*) from read_parquet({listed})").fetchall()[0][0]
            assert duck == ours.height, f"DuckDB {name}@{version}: {duck} rows, expected {ours.height}"
            rows = sum(pyarrow.parquet.read_metadata(p).num_rows for p in parts)
            assert rows == ours.height, f"pyarrow {name}@{version}: {rows} rows"
    print(f"{name}: {head + 1 - taken} versions agree, {taken} taken by gc")
