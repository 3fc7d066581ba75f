# ChannelAttribution on a CSV of paths: its heuristics and Markov models of order 1 to 3.
# Prints seconds, peak memory and conversions by method and channel as JSON. Reading is not counted.
import json, resource, sys, time

import pandas
from ChannelAttribution import heuristic_models, markov_model

data = pandas.read_csv(sys.argv[1])
seconds, conversions = {}, {}


def table(result, column):
    return dict(zip(result["channel_name"], result[column].astype(float)))


start = time.perf_counter()
result = heuristic_models(data, "path", "conversions", var_value="value", flg_pro=False)
seconds["heuristics"] = time.perf_counter() - start
for name in ("first_touch", "last_touch", "linear_touch"):
    conversions[name] = table(result, name + "_conversions")
for order in (1, 2, 3):
    start = time.perf_counter()
    result = markov_model(
        data, "path", "conversions", var_value="value", var_null="nulls",
        order=order, verbose=False, flg_pro=False,
    )
    seconds[f"markov_{order}"] = time.perf_counter() - start
    result = result["result"] if isinstance(result, dict) else result
    conversions[f"markov_{order}"] = table(result, "total_conversions")
print(json.dumps({
    "seconds": seconds,
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "conversions": conversions,
}))
