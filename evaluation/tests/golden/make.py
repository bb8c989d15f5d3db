"""What other people's statistics say about the same data: golden values for tests/golden.rs.

Each tool has an environment of its own, with the versions below:

    for tool in base ppi evidently nannyml; do
        python3 -m venv /tmp/golden-$tool
        /tmp/golden-$tool/bin/pip install $(python3 make.py $tool --requirements)
        /tmp/golden-$tool/bin/python make.py $tool        # writes $tool.json beside this file
    done

Inputs are drawn from seeds and written beside the answers, so that the Rust tests need no Python.

NannyML and Evidently do not run with pandas 3, which their packages' own requirements let in: hence pandas 2.3.3.

Where definitions differ, both numbers are written and the difference is explained here:

- Evidently's chi-square takes the reference's mix as known (a one-sample test); ours knows it to be a sample too
  (scipy's chi2_contingency). Evidently's p-value is therefore smaller, the more so the smaller the reference is.
- Evidently's PSI of numbers picks its own bins (Sturges over both samples together); ours gets counts. Compared is its PSI
  of categories.
- Kolmogorov-Smirnov: scipy's exact p-value for small samples; beyond, scipy uses the one-sample law at a rounded sample
  size, ours Kolmogorov's limit (scipy's kstwobign), which is what is compared.
- NannyML first recalibrates; compared is its estimate with a calibrator that does nothing, because calibrating is a
  separate step here. Its sampling error is the reference's deviation over the root of the chunk's size, ours the
  Poisson-binomial deviation of the confidences: two answers to two questions, not compared.
- ppi_py's standard error is for photos yet to come; `difference_accuracy` has the finite window's. Compared is
  `prediction_powered_mean`.
- scikit-learn knows no sampling design: its weighted scores are compared as point values, the intervals are not.
"""

import importlib.metadata
import json
import pathlib
import sys

REQUIREMENTS = {
    "base": ["numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1", "statsmodels==0.15.0"],
    "ppi": ["numpy==2.4.6", "ppi-python==0.2.3"],
    "evidently": ["numpy==2.4.6", "pandas==2.3.3", "scipy==1.17.1", "evidently==0.7.23"],
    "nannyml": ["numpy==2.4.6", "pandas==2.3.3", "statsmodels==0.15.0", "nannyml==0.13.1"],
}


def base():
    import numpy as np
    from scipy import optimize, special, stats
    from sklearn import calibration, metrics
    from sklearn.metrics.pairwise import rbf_kernel
    from statsmodels.stats import contingency_tables, inter_rater, multitest, proportion

    random = np.random.default_rng(5)
    wilson = []
    for successes, n in [(0, 1), (0, 30), (30, 30), (17, 40), (8, 10), (950, 1000), (3, 100000)]:
        for level in [0.8, 0.95, 0.99]:
            lower, upper = proportion.proportion_confint(successes, n, alpha=1 - level, method="wilson")
            wilson.append({"successes": successes, "n": n, "level": level, "lower": lower, "upper": upper})

    # A designed sample: 60 photos of a census stratum, 40 of 400 others.
    truth = random.integers(0, 3, 100)
    predicted = np.where(random.random(100) < 0.7, truth, random.integers(0, 3, 100))
    weights = np.where(np.arange(100) < 60, 1.0, 10.0)
    confidence = np.float32(np.round(random.uniform(0.3, 0.99, 100), 4)).astype(float)
    correct = truth == predicted
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(truth, predicted, sample_weight=weights)
    one_of_two = np.stack([1 - confidence, confidence], axis=1)
    designed = {
        "truth": truth, "predicted": predicted, "confidence": confidence, "census": 60, "others": 400,
        "confusion": metrics.confusion_matrix(truth, predicted, sample_weight=weights),
        "accuracy": metrics.accuracy_score(truth, predicted, sample_weight=weights),
        "precision": precision, "recall": recall, "f1": f1,
        "macro_f1": metrics.f1_score(truth, predicted, average="macro", sample_weight=weights),
        "brier": metrics.brier_score_loss(correct, confidence, sample_weight=weights),
        "log_loss": metrics.log_loss(correct, one_of_two, sample_weight=weights),
    }
    # Stratified variance of the weighted Brier score, by the textbook formula: the census adds none.
    losses = (confidence - correct) ** 2
    others = losses[60:]
    designed["brier_standard_error"] = (400 / 460) * np.sqrt(others.var(ddof=1) / 40 * (1 - 40 / 400))

    # Equal weights and distinct confidences, so that scikit-learn's quantile bins are bins of equal mass.
    sure = np.float32(np.sort(random.permutation(np.arange(1, 1001))[:100] / 1001)).astype(float)
    right = random.random(100) < sure * 0.8
    bin_accuracy, bin_confidence = calibration.calibration_curve(right, sure, n_bins=10, strategy="quantile")
    reliability = {
        "confidence": sure, "correct": right, "bin_accuracy": bin_accuracy, "bin_confidence": bin_confidence,
        "expected_calibration_error": np.mean(np.abs(bin_accuracy - bin_confidence)),
    }

    logits = np.round(random.normal(0, 3, (200, 4)), 3)
    classes = np.array([random.choice(4, p=special.softmax(row / 2.5)) for row in logits])
    scale = np.where(np.arange(200) < 80, 1.0, 6.0)
    loss = lambda inverse: -np.sum(scale * special.log_softmax(inverse * logits, axis=1)[np.arange(200), classes])
    slope = lambda inverse: np.sum(
        scale * ((special.softmax(inverse * logits, axis=1) * logits).sum(axis=1) - logits[np.arange(200), classes])
    )
    inverse = optimize.brentq(slope, 0.05, 20, xtol=1e-14)
    assert loss(inverse) < min(loss(inverse * 1.01), loss(inverse * 0.99))
    temperature = {"logits": logits, "truth": classes, "weight": scale, "temperature": 1 / inverse}

    first, second = random.integers(0, 4, 80), random.integers(0, 4, 80)
    second = np.where(random.random(80) < 0.6, first, second)
    ratings = random.multinomial(5, [0.5, 0.3, 0.2], 30)
    agreement = {
        "first": first, "second": second, "cohen": metrics.cohen_kappa_score(first, second),
        "ratings": ratings, "fleiss": inter_rater.fleiss_kappa(ratings),
    }

    mcnemar = []
    for b, c in [(0, 0), (3, 9), (9, 3), (10, 10), (0, 6), (120, 90)]:
        p = contingency_tables.mcnemar([[5, b], [c, 7]], exact=True).pvalue if b + c else 1.0
        mcnemar.append({"only_champion": b, "only_challenger": c, "p_value": p})

    p_values = np.round(np.concatenate([random.random(6), random.random(4) / 100]), 6)
    benjamini_hochberg = {"p_values": p_values, "adjusted": multitest.multipletests(p_values, method="fdr_bh")[1]}

    chi_square = []
    for reference, current in [([30, 50, 20], [35, 90, 15]), ([500, 300, 1], [480, 310, 9]), ([7, 0, 3], [2, 0, 8])]:
        used = np.array([reference, current])[:, np.array(reference) + np.array(current) > 0]
        result = stats.chi2_contingency(used, correction=False)
        chi_square.append({
            "reference": reference, "current": current, "statistic": result.statistic, "p_value": result.pvalue,
            "degrees_of_freedom": result.dof, "cramers_v": stats.contingency.association(used, method="cramer"),
        })

    kolmogorov = []
    for n, m, shift, digits in [(20, 30, 0.0, 6), (40, 25, 0.3, 6), (200, 150, 0.1, 6), (60, 60, 0.1, 1)]:
        reference, current = np.round(random.random(n), digits), np.round(random.random(m) + shift, digits)
        result = stats.ks_2samp(reference, current, method="exact")
        kolmogorov.append({
            "reference": reference, "current": current, "statistic": result.statistic, "p_value": result.pvalue,
        })
    limit = []
    for shift in [0.0, 0.005, 0.01, 0.02]:
        # 2,500 and 2,000: beyond what is counted exactly. Numbers that need no list.
        reference, current = np.arange(2500) / 2500, np.arange(2000) / 2000 * (1 - shift) + shift
        statistic = stats.ks_2samp(reference, current, method="asymp").statistic
        scaled = statistic * np.sqrt(2500 * 2000 / 4500)
        limit.append({"shift": shift, "statistic": statistic, "p_value": stats.kstwobign.sf(scaled)})

    clouds = [np.round(random.normal(0, 1, (25, 3)), 4), np.round(random.normal(0.4, 1, (20, 3)), 4)]
    together = np.concatenate(clouds)
    bandwidth = np.median(np.linalg.norm(together[:, None] - together[None], axis=2)[np.tril_indices(45, -1)])
    kernel = rbf_kernel(together, gamma=1 / (2 * bandwidth**2))
    np.fill_diagonal(kernel, 0)
    squared = (kernel[:25, :25].sum() / (25 * 24) + kernel[25:, 25:].sum() / (20 * 19)
               - 2 * kernel[:25, 25:].mean())
    discrepancy = {"reference": clouds[0], "current": clouds[1], "bandwidth": bandwidth, "squared": squared}

    sequence = []
    for successes, failures in [(0, 5), (9, 1), (80, 20), (500, 700), (2000, 0)]:
        n = successes + failures
        wealth = lambda p: (special.betaln(successes + 1, failures + 1) - special.xlogy(successes, p)
                            - special.xlog1py(failures, -p) - np.log(20))
        best = successes / n
        lower = 0.0 if successes == 0 else optimize.brentq(wealth, 1e-300, best, xtol=1e-14)
        upper = 1.0 if failures == 0 else optimize.brentq(wealth, best, 1 - 1e-16, xtol=1e-14)
        sequence.append({"successes": successes, "failures": failures, "lower": lower, "upper": upper})

    return locals_for_json(
        wilson=wilson, designed=designed, reliability=reliability, temperature=temperature, agreement=agreement,
        mcnemar=mcnemar, benjamini_hochberg=benjamini_hochberg, chi_square=chi_square, kolmogorov=kolmogorov,
        kolmogorov_limit=limit, discrepancy=discrepancy, sequence=sequence,
    )


def ppi():
    import numpy as np
    import ppi_py

    random = np.random.default_rng(6)
    cases = []
    for n, unlabelled, skill in [(40, 300, 0.8), (100, 1000, 0.3), (60, 200, 0.0)]:
        truth = random.random(n + unlabelled) < 0.75
        noise = random.random(n + unlabelled)
        guess = np.round(np.where(random.random(n + unlabelled) < skill, 0.9 * truth + 0.1 * noise, noise), 5)
        labels, guesses, rest = truth[:n].astype(float), guess[:n], guess[n:]
        case = {"labels": labels, "guesses": guesses, "unlabelled_guesses": rest}
        for name, lam in [("plain", 1), ("tuned", None)]:
            value = float(np.squeeze(ppi_py.ppi_mean_pointestimate(labels, guesses, rest, lam=lam)))
            lower, upper = ppi_py.ppi_mean_ci(labels, guesses, rest, alpha=0.05, lam=lam)
            case[name] = {"value": value, "lower": float(np.squeeze(lower)), "upper": float(np.squeeze(upper))}
        cases.append(case)
    return locals_for_json(cases=cases)


def evidently():
    import numpy as np
    import pandas as pd
    from evidently.legacy.calculations.stattests import chi_stat_test, ks_stat_test, psi_stat_test
    from evidently.legacy.core import ColumnType

    random = np.random.default_rng(7)
    categories = []
    for reference, current in [([30, 50, 20], [35, 90, 15]), ([500, 300, 0], [480, 310, 9]), ([20000, 1, 7], [90, 0, 10])]:
        series = [pd.Series(np.repeat(np.arange(3), counts)) for counts in (reference, current)]
        psi = psi_stat_test.func(series[0], series[1], ColumnType.Categorical, 0.1)[0]
        case = {"reference": reference, "current": current, "psi": psi}
        if min(reference) > 0:
            case["one_sample_p_value"] = chi_stat_test.func(series[0], series[1], ColumnType.Categorical, 0.05)[0]
        categories.append(case)
    numbers = []
    for n, m, shift in [(80, 60, 0.0), (100, 90, 0.2)]:
        reference, current = np.round(random.random(n), 6), np.round(random.random(m) + shift, 6)
        p = ks_stat_test.func(pd.Series(reference), pd.Series(current), ColumnType.Numerical, 0.05)[0]
        numbers.append({"reference": reference, "current": current, "p_value": p})
    return locals_for_json(categories=categories, numbers=numbers)


def nannyml():
    import numpy as np
    import pandas as pd
    from nannyml import CBPE
    from nannyml.calibration import NoopCalibrator

    random = np.random.default_rng(8)
    names = ["bread", "soup", "rice"]

    def photos(count):
        probabilities = random.dirichlet([1.0, 0.6, 0.4], count)
        frame = pd.DataFrame(probabilities, columns=names)
        frame["predicted"] = [names[index] for index in probabilities.argmax(axis=1)]
        frame["truth"] = [names[random.choice(3, p=row)] for row in probabilities]
        return frame

    reference, current = photos(600), photos(200)
    estimator = CBPE(
        y_pred_proba={name: name for name in names}, y_pred="predicted", y_true="truth", metrics=["accuracy"],
        problem_type="classification_multiclass", chunk_size=200, calibrator=NoopCalibrator(),
    ).fit(reference)
    result = estimator.estimate(current).filter(period="analysis").to_df()
    confidence = current[names].to_numpy().max(axis=1)
    return locals_for_json(confidence=confidence, accuracy=float(result[("accuracy", "value")].iloc[0]))


def locals_for_json(**values):
    return values


def plain(value):
    """numpy's types as JSON's."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def main():
    tool = sys.argv[1]
    if sys.argv[2:] == ["--requirements"]:
        print(*REQUIREMENTS[tool])
        return
    versions = {}
    for requirement in REQUIREMENTS[tool]:
        name, version = requirement.split("==")
        versions[name] = importlib.metadata.version(name)
        assert versions[name] == version, f"{name} is {versions[name]}, the golden values are for {version}"
    answers = {"versions": versions} | globals()[tool]()
    path = pathlib.Path(__file__).with_name(f"{tool}.json")
    path.write_text(json.dumps(answers, default=plain, indent=None, separators=(", ", ": ")) + "\n")


main()
