# The national example in PyMC, sampled by nutpie: least bulk ESS and CPU seconds of sampling.
import json, resource, sys, warnings

warnings.filterwarnings("ignore")
import arviz as az
import numpy as np
import nutpie
import pandas as pd
import pymc as pm
import pytensor.tensor as pt

data = pd.read_csv(sys.argv[1], parse_dates=["date_week"])
y = data.y.to_numpy() / data.y.max()
X = (data[["x1", "x2"]] / data[["x1", "x2"]].max()).to_numpy()
Z = data[["event_1", "event_2", "t"]].to_numpy(float)
p = data.date_week.dt.dayofyear.to_numpy() / 365.25
F = np.column_stack([np.sin(2 * np.pi * p), np.sin(4 * np.pi * p), np.cos(2 * np.pi * p), np.cos(4 * np.pi * p)])
lagged = np.stack([np.vstack([np.zeros((l, 2)), X[: len(X) - l]]) for l in range(8)])

with pm.Model() as model:
    intercept = pm.Normal("intercept_contribution", 0.5, 0.2)
    alpha = pm.Beta("adstock_alpha", 1, 3, shape=2)
    lam = pm.Gamma("saturation_lam", 3, 1, shape=2)
    beta = pm.HalfNormal("saturation_beta", np.array([1.31263903, 0.68736097]), shape=2)
    control = pm.Normal("gamma_control", 0, 0.05, shape=3)
    fourier = pm.Laplace("gamma_fourier", 0, 0.2, shape=4)
    sigma = pm.HalfNormal("y_sigma", 6)
    weights = alpha[None, :] ** np.arange(8)[:, None]
    weights = weights / weights.sum(axis=0)
    adstock = (pt.as_tensor(lagged) * weights[:, None, :]).sum(axis=0)
    e = pt.exp(-lam * adstock)
    mu = intercept + (beta * (1 - e) / (1 + e)).sum(axis=1) + Z @ control + F @ fourier
    pm.Normal("y", mu, sigma, observed=y)

compiled = nutpie.compile_pymc_model(model)
runs = []
for tune in (1000, 300):
    before = resource.getrusage(resource.RUSAGE_SELF)
    trace = nutpie.sample(compiled, draws=1000, tune=tune, chains=4, cores=1, seed=1, progress_bar=False)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    ess = min(float(v.min()) for v in az.ess(trace).data_vars.values())
    runs.append({"tune": tune, "cpu": cpu, "ess": ess})
print(json.dumps(runs))
