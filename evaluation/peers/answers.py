"""What other people's statistics say about the same data: golden values for `evaluation/tests/golden.rs`.

    answers.py PEER FOLDER        writes FOLDER/PEER.json: inputs drawn from seeds, and the peer's answers beside them

PEER is scikit-learn, statsmodels, irrcac, evidently, nannyml or ppi-py; each runs in an environment of its own, with the versions
of `requirements-PEER.txt` (`scripts/setup.sh verify-PEER`). `make verify` asks all of them anew; the answers of the last
time lie in `evaluation/tests/golden/`, so that the Rust tests need no Python.

Where definitions differ, the difference is explained in docs/statistics.md, "Checked against others"; what can be made
comparable is made so here, and says how.
"""

import importlib.metadata
import json
import pathlib
import sys


def scikit_learn():
    import numpy as np
    from sklearn import calibration, metrics
    from sklearn.metrics.pairwise import rbf_kernel

    random = np.random.default_rng(5)
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
        "pooled": metrics.accuracy_score(truth, predicted),
        "precision": precision, "recall": recall, "f1": f1,
        "macro_f1": metrics.f1_score(truth, predicted, average="macro", sample_weight=weights),
        "brier": metrics.brier_score_loss(correct, confidence, sample_weight=weights),
        "log_loss": metrics.log_loss(correct, one_of_two, sample_weight=weights),
    }
    # scikit-learn knows no design. The standard error is the textbook's for strata, in which the census adds none.
    losses = (confidence - correct) ** 2
    others = losses[60:]
    designed["brier_standard_error"] = (400 / 460) * np.sqrt(others.var(ddof=1) / 40 * (1 - 40 / 400))

    # Equal weights and distinct confidences, so that scikit-learn's quantile bins are bins of equal mass.
    sure = np.float32(np.sort(random.permutation(np.arange(1, 1001))[:100] / 1001)).astype(float)
    right = random.random(100) < sure * 0.8
    bin_accuracy, bin_confidence = calibration.calibration_curve(right, sure, n_bins=10, strategy="quantile")
    reliability = {
        "confidence": sure, "correct": right, "bin_accuracy": bin_accuracy, "bin_confidence": bin_confidence,
        # The definition, over scikit-learn's curve: it has no function for it.
        "expected_calibration_error": np.mean(np.abs(bin_accuracy - bin_confidence)),
    }

    first, second = random.integers(0, 4, 80), random.integers(0, 4, 80)
    second = np.where(random.random(80) < 0.6, first, second)
    cohen = {"first": first, "second": second, "kappa": metrics.cohen_kappa_score(first, second)}

    clouds = [np.round(random.normal(0, 1, (25, 3)), 4), np.round(random.normal(0.4, 1, (20, 3)), 4)]
    together = np.concatenate(clouds)
    bandwidth = np.median(np.linalg.norm(together[:, None] - together[None], axis=2)[np.tril_indices(45, -1)])
    kernel = rbf_kernel(together, gamma=1 / (2 * bandwidth**2))
    np.fill_diagonal(kernel, 0)
    squared = (kernel[:25, :25].sum() / (25 * 24) + kernel[25:, 25:].sum() / (20 * 19)
               - 2 * kernel[:25, 25:].mean())
    discrepancy = {"reference": clouds[0], "current": clouds[1], "bandwidth": bandwidth, "squared": squared}

    return {"designed": designed, "reliability": reliability, "cohen": cohen, "discrepancy": discrepancy}


def statsmodels():
    import numpy as np
    from scipy import optimize, special, stats
    from statsmodels.stats import contingency_tables, inter_rater, multitest, proportion

    random = np.random.default_rng(9)
    wilson = []
    for successes, n in [(0, 1), (0, 30), (30, 30), (17, 40), (8, 10), (950, 1000), (3, 100000)]:
        for level in [0.8, 0.95, 0.99]:
            lower, upper = proportion.proportion_confint(successes, n, alpha=1 - level, method="wilson")
            wilson.append({"successes": successes, "n": n, "level": level, "lower": lower, "upper": upper})
    # A random sample of n of N photos in one stratum: Wilson's interval of the labels it is worth.
    one_stratum = []
    for successes, n, size in [(71, 90, 800), (30, 30, 31), (0, 12, 5000), (260, 300, 400)]:
        worth = n * (size - 1) / (size - n)
        lower, upper = proportion.proportion_confint(successes / n * worth, worth, method="wilson")
        one_stratum.append({"successes": successes, "n": n, "size": size, "lower": lower, "upper": upper})

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

    ratings = random.multinomial(5, [0.5, 0.3, 0.2], 30)
    fleiss = {"ratings": ratings, "kappa": inter_rater.fleiss_kappa(ratings)}

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
        # 2,500 and 2,000: beyond what is counted exactly. Numbers that need no list. scipy's own limit for two samples
        # is the one-sample law at a rounded size; Kolmogorov's, which ours is, it has by name.
        reference, current = np.arange(2500) / 2500, np.arange(2000) / 2000 * (1 - shift) + shift
        statistic = stats.ks_2samp(reference, current, method="asymp").statistic
        scaled = statistic * np.sqrt(2500 * 2000 / 4500)
        limit.append({"shift": shift, "statistic": statistic, "p_value": stats.kstwobign.sf(scaled)})

    sequence = []
    for successes, failures in [(0, 5), (9, 1), (80, 20), (500, 700), (2000, 0)]:
        n = successes + failures
        wealth = lambda p: (special.betaln(successes + 1, failures + 1) - special.xlogy(successes, p)
                            - special.xlog1py(failures, -p) - np.log(20))
        best = successes / n
        lower = 0.0 if successes == 0 else optimize.brentq(wealth, 1e-300, best, xtol=1e-14)
        upper = 1.0 if failures == 0 else optimize.brentq(wealth, best, 1 - 1e-16, xtol=1e-14)
        sequence.append({"successes": successes, "failures": failures, "lower": lower, "upper": upper})

    cohen = []
    for table in [[[75, 1, 4], [5, 4, 1], [0, 0, 10]], [[20, 3], [5, 12]], [[9, 0, 0, 1], [2, 7, 1, 0], [0, 3, 11, 2], [0, 0, 1, 13]]]:
        result = inter_rater.cohens_kappa(np.array(table))
        cohen.append({"table": table, "kappa": result.kappa, "standard_error": result.std_kappa})

    return {
        "cohen": cohen, "wilson": wilson, "one_stratum": one_stratum, "temperature": temperature, "fleiss": fleiss, "mcnemar": mcnemar,
        "benjamini_hochberg": benjamini_hochberg, "chi_square": chi_square, "kolmogorov": kolmogorov,
        "kolmogorov_limit": limit, "sequence": sequence,
    }


def irrcac():
    import numpy as np
    import pandas as pd
    from irrCAC.raw import CAC

    random = np.random.default_rng(10)
    cases = []
    for annotators, photos, careful in [(2, 80, 0.6), (2, 30, 0.9), (3, 50, 0.8)]:
        truth = random.integers(0, 4, photos)
        said = [np.where(random.random(photos) < careful, truth, random.integers(0, 4, photos)) for _ in range(annotators)]
        ratings = pd.DataFrame({str(who): labels.astype(str) for who, labels in enumerate(said)})
        answer = CAC(ratings, digits=15).fleiss()["est"]
        counts = [[int(sum(labels[photo] == one for labels in said)) for one in range(4)] for photo in range(photos)]
        cases.append({"counts": counts, "kappa": answer["coefficient_value"], "standard_error": answer["se"]})
    return {"fleiss": cases}


def ppi_py():
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
        # Of a finite window the guesses of all photos are known, the labelled ones' too.
        case["finite"] = float(np.squeeze(ppi_py.ppi_mean_pointestimate(labels, guesses, guess, lam=1)))
        cases.append(case)
    return {"cases": cases}


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
            # It takes the reference's mix as known; ours takes it as one more sample.
            case["one_sample_p_value"] = chi_stat_test.func(series[0], series[1], ColumnType.Categorical, 0.05)[0]
        categories.append(case)
    numbers = []
    for n, m, shift in [(80, 60, 0.0), (100, 90, 0.2)]:
        reference, current = np.round(random.random(n), 6), np.round(random.random(m) + shift, 6)
        series = [pd.Series(reference), pd.Series(current)]
        p = ks_stat_test.func(*series, ColumnType.Numerical, 0.05)[0]
        # The bins it chooses (Sturges' rule over both together); ours is given counts.
        edges = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
        numbers.append({
            "reference": reference, "current": current, "p_value": p,
            "reference_counts": np.histogram(reference, edges)[0], "current_counts": np.histogram(current, edges)[0],
            "psi": psi_stat_test.func(*series, ColumnType.Numerical, 0.1)[0],
        })
    return {"categories": categories, "numbers": numbers}


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
    # A calibrator that does nothing: calibrating is a separate step here.
    estimator = CBPE(
        y_pred_proba={name: name for name in names}, y_pred="predicted", y_true="truth", metrics=["accuracy"],
        problem_type="classification_multiclass", chunk_size=200, calibrator=NoopCalibrator(),
    ).fit(reference)
    result = estimator.estimate(current).filter(period="analysis").to_df()
    confidence = current[names].to_numpy().max(axis=1)
    return {"confidence": confidence, "accuracy": float(result[("accuracy", "value")].iloc[0])}


PEERS = {"scikit-learn": scikit_learn, "statsmodels": statsmodels, "irrcac": irrcac, "ppi-py": ppi_py, "evidently": evidently,
         "nannyml": nannyml}


def plain(value):
    """numpy's types as JSON's."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def versions(peer):
    """The versions that are installed, which must be those that are asked for."""
    found = {}
    for line in pathlib.Path(__file__).with_name(f"requirements-{peer}.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        name, version = line.split("==")
        found[name] = importlib.metadata.version(name)
        if found[name] != version:
            sys.exit(f"{name} is {found[name]}, not {version}: run scripts/setup.sh verify-{peer}")
    return found


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in PEERS:
        sys.exit(f"Usage: answers.py {'|'.join(PEERS)} FOLDER")
    peer, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    answers = {"versions": versions(peer)} | PEERS[peer]()
    text = json.dumps(answers, default=plain, separators=(", ", ": "))
    (folder / f"{peer}.json").write_text(text + "\n")


main()
