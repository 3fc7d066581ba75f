"""The budget problem of `cargo dev bench plan` through SciPy, as marketing-mix tools do it."""

import json
import signal
import sys
import time

import numpy as np
from scipy.optimize import minimize

request = json.loads(sys.argv[1])
draws, rates = request["draws"], np.array(request["rates"])
current, scale = np.array(request["current"]), request["scale"]
lower, upper = np.array(request["lower"]), np.array(request["upper"])
hill = request["kind"] == "Hill"
parameters = np.fromfile(request["file"]).reshape(len(current), 3 if hill else 2, draws)


def value_and_slope(x):
    media = (x * rates)[:, None]
    beta = parameters[:, 0]
    if hill:
        slope, kappa = parameters[:, 1], parameters[:, 2]
        u = (np.maximum(media, 1e-12) / kappa) ** slope
        f = u / (1 + u)
        d = slope * u / (np.maximum(media, 1e-12) * (1 + u) ** 2)
    else:
        e = np.exp(-parameters[:, 1] * media)
        f = (1 - e) / (1 + e)
        d = 2 * parameters[:, 1] * e / (1 + e) ** 2
    value = scale * (beta * f).mean(axis=1).sum()
    slope = scale * (beta * d).mean(axis=1) * rates
    return value, slope


total = current.sum()
start = np.clip(np.full(len(current), total / len(current)), lower, upper)
# Normalised, as the peers do, so that the tolerance means something.
size = value_and_slope(start)[0]
began = time.process_time()


def stop(*_):
    print(json.dumps({"cpu": time.process_time() - began, "value": None}))
    sys.stdout.flush()
    sys.exit(0)


# A thousand channels take it ten minutes.
signal.signal(signal.SIGALRM, stop)
signal.alarm(request["limit"])
found = minimize(
    lambda x: -value_and_slope(x)[0] / size,
    start,
    jac=lambda x: -value_and_slope(x)[1] / size,
    method="SLSQP",
    bounds=list(zip(lower, upper)),
    constraints=[{"type": "eq", "fun": lambda x: (x.sum() - total) / total, "jac": lambda x: np.full(len(x), 1 / total)}],
    options={"ftol": 1e-9, "maxiter": 1000},
)
print(json.dumps({"cpu": time.process_time() - began, "value": value_and_slope(found.x)[0], "success": bool(found.success)}))
