"""The statistics against those of scipy and statsmodels, which do the same arithmetic in other words."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from spatialeval.stats import bootstrap, estimate, wilson
from spatialeval.stats.agreement import agreement
from spatialeval.stats.paired import holm, mcnemar, paired
from spatialeval.stats.power import Design, power_of, questions_needed
from spatialeval.stats.student import t_quantile


def reference(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says about its own dependencies is not ours
        return pytest.importorskip(name, reason=f"{name} is not installed")


@pytest.fixture
def clustered():
    random = np.random.default_rng(9)
    groups = np.repeat(np.arange(40), random.integers(1, 7, 40))
    shift = random.normal(0, 0.15, 40)[groups]
    return np.clip(random.random(len(groups)) + shift, 0, 1), groups


def test_t_quantiles_are_scipy_s():
    t = reference("scipy.stats").t
    for df in (1, 2, 7.5, 40, 999, 1001, 1e6):
        assert t_quantile(0.975, df) == pytest.approx(t.ppf(0.975, df), rel=1e-8)


def test_a_clustered_mean_is_a_regression_on_a_constant_with_clustered_errors(clustered):
    sm = reference("statsmodels.api")
    values, groups = clustered
    fit = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    found = estimate(values.tolist(), groups.tolist())
    assert (found.mean, found.se) == pytest.approx((fit.params[0], fit.bse[0]))
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[0]))


def test_a_macro_mean_is_a_contrast_of_a_regression_on_categories():
    sm = reference("statsmodels.api")
    random = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 6)
    category = np.tile([0, 0, 0, 1, 1, 2], 40)  # every group has samples in every category
    values = np.clip(random.random(240) * 0.5 + random.normal(0.2, 0.1, 40)[groups] + 0.1 * category, 0, 1)
    dummies = np.eye(3)[category]
    options = {"groups": groups, "use_correction": False}
    fit = sm.OLS(values, dummies).fit(cov_type="cluster", cov_kwds=options)
    contrast = fit.t_test(np.array([[1 / 3, 1 / 3, 1 / 3]]))
    found = estimate(values.tolist(), groups.tolist(), category.astype(str).tolist(), dict.fromkeys("012", 1 / 3))
    assert found.mean == pytest.approx(contrast.effect.item())
    assert found.se == pytest.approx(contrast.sd.item() * np.sqrt(40 / 39))


def test_a_clustered_paired_difference_is_a_regression_of_differences(clustered):
    sm = reference("statsmodels.api")
    first, groups = clustered
    second = np.clip(first + np.random.default_rng(2).normal(0.05, 0.2, len(first)), 0, 1)
    options = {"groups": groups}
    fit = sm.OLS(second - first, np.ones(len(first))).fit(cov_type="cluster", cov_kwds=options, use_t=True)
    found = paired(first.tolist(), second.tolist(), groups.tolist())
    assert (found.difference, found.low, found.high) == pytest.approx((fit.params[0], *fit.conf_int()[0]))


@pytest.mark.parametrize(("right", "n"), [(0, 12), (3, 10), (81, 263), (50, 50)])
def test_wilson_intervals_are_statsmodels(right, n):
    proportion = reference("statsmodels.stats.proportion")
    wanted = proportion.proportion_confint(right, n, method="wilson")
    assert tuple(wilson(right / n, n)) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("better", "worse"), [(5, 0), (3, 7), (20, 9), (40, 40)])
def test_mcnemar_is_statsmodels_exact_one(better, worse):
    tables = reference("statsmodels.stats.contingency_tables")
    assert mcnemar(better, worse) == pytest.approx(tables.mcnemar([[10, better], [worse, 10]], exact=True).pvalue)


def test_holm_is_statsmodels():
    multitest = reference("statsmodels.stats.multitest")
    values = np.random.default_rng(3).random(20) ** 3
    assert holm(values.tolist()) == pytest.approx(multitest.multipletests(values, method="holm")[1])


def test_kappa_and_its_table_are_statsmodels():
    rater = reference("statsmodels.stats.inter_rater")
    random = np.random.default_rng(4)
    gold = random.integers(0, 3, 120)
    given = np.where(random.random(120) < 0.7, gold, random.integers(0, 3, 120))
    table = rater.to_table(np.column_stack([gold, given]))[0]
    found = agreement(gold.astype(str).tolist(), given.astype(str).tolist(), range(120))
    assert found.kappa == pytest.approx(rater.cohens_kappa(table).kappa)


@pytest.mark.parametrize(("score", "difference"), [(0.5, 0.02), (0.3, 0.1), (0.75, 0.05)])
def test_unpaired_power_is_near_statsmodels_which_pools_under_the_null(score, difference):
    proportion = reference("statsmodels.stats.proportion")
    design = Design(score, paired=False)
    n = questions_needed(difference, design)
    other = proportion.power_proportions_2indep(difference, score, n, return_results=False)
    assert power_of(n, difference, design) == pytest.approx(other, abs=0.01)


def test_the_bootstrap_of_questions_that_stand_alone_is_scipy_s_percentile_one():
    stats = reference("scipy.stats")
    values = np.random.default_rng(6).random(60)
    wanted = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=5000, rng=1).confidence_interval
    found = bootstrap(values.tolist(), range(60), resamples=5000)
    assert tuple(found) == pytest.approx((wanted.low, wanted.high), abs=0.01)
