//! Our numbers beside scikit-learn's, statsmodels', scipy's, irrCAC's, ppi_py's, Evidently's and NannyML's.
//!
//! What they said was written down by `make verify-golden`; `make verify` asks them again. docs/statistics.md says where
//! definitions differ, and why.

#[path = "../examples/peers/comparison.rs"]
mod comparison;

use comparison::{PEERS, compare};

/// What a peer said, as it was written down.
fn golden(peer: &str) -> serde_json::Value {
    let text = match peer {
        "scikit-learn" => include_str!("golden/scikit-learn.json"),
        "statsmodels" => include_str!("golden/statsmodels.json"),
        "irrcac" => include_str!("golden/irrcac.json"),
        "ppi-py" => include_str!("golden/ppi-py.json"),
        "evidently" => include_str!("golden/evidently.json"),
        "nannyml" => include_str!("golden/nannyml.json"),
        _ => panic!("nobody has asked {peer}"),
    };
    serde_json::from_str(text).unwrap()
}

/// Compares with one peer; `at_least` values, so that none is lost unseen.
fn agrees(peer: &str, at_least: usize) {
    let compared = compare(peer, &golden(peer));
    assert!(compared.len() >= at_least, "{} values are compared with {peer}", compared.len());
    for it in &compared {
        assert!(it.agrees(), "{}: ours is {}, {peer}'s {} says {}", it.number, it.ours, it.with, it.theirs);
    }
}

#[test]
fn weighted_scores_reliability_and_kappa_are_those_of_scikit_learn() {
    agrees("scikit-learn", 48);
}

#[test]
fn intervals_and_tests_are_those_of_statsmodels_and_scipy() {
    agrees("statsmodels", 120);
}

#[test]
fn fleiss_kappa_s_standard_error_is_that_of_irrcac() {
    agrees("irrcac", 6);
}

#[test]
fn prediction_powered_means_are_those_of_ppi_py() {
    agrees("ppi-py", 21);
}

#[test]
fn stability_index_and_tests_are_those_of_evidently() {
    agrees("evidently", 9);
}

#[test]
fn expected_accuracy_is_that_of_nannyml() {
    agrees("nannyml", 1);
}

#[test]
fn no_peer_is_left_out() {
    for peer in PEERS {
        assert!(!compare(peer, &golden(peer)).is_empty(), "{peer}");
    }
}

#[test]
fn a_number_that_is_a_millionth_off_does_not_agree() {
    for theirs in [1.000_002, f64::NAN] {
        let compared = comparison::Compared { number: "one", with: "itself", ours: 1.0, theirs };
        assert!(!compared.agrees());
    }
}
