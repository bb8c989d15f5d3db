//! Figures that are made up: what an evaluation may say.

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram_api::{
    AnnotatorAgreement, AnnotatorErrors, AnnotatorPair, Bounds, Calibration, Cause, ClassMeasures, ConfidenceBin,
    Confusion, ConfusionCount, Decision, DeviceFigures, DeviceShare, Drift, DriftFinding, DriftWord, EvaluatedWindow,
    Evaluation, EvaluationCampaign, EvaluationWindow, Expected, FeedbackFigures, Funnel, Headline, KappaMeasure,
    LabelPlan, Measure, MeasureMethod, ModelPeriod, NotTested, OfflineAccuracy, PastDecision, PhotoStratum,
    PipelineInfo, PlanPoint, PlannedStratum, ReliabilityPoint, Returning, Run, RunState, SeriesStep, Slice, SliceBy,
    Slices, StratumResponse, SuspectLabel, SuspectLabels, TrafficClass, Verdict, WindowPoint,
};
use gourmetgram_app::measured::{Measured, Operation};
use uuid::Uuid;

const CLASSES: [&str; 11] = [
    "Bread",
    "Dairy product",
    "Dessert",
    "Egg",
    "Fried food",
    "Meat",
    "Noodles or pasta",
    "Rice",
    "Seafood",
    "Soup",
    "Vegetable or fruit",
];

fn end() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_478_400, 0).expect("the 24th of November 2026")
}

fn measure(value: f64, half: f64, labels: u64, photos: u64) -> Measure {
    Measure {
        value: Some(value),
        lower: (value - half).max(0.0),
        upper: (value + half).min(1.0),
        labels,
        photos,
        method: MeasureMethod::Poststratified,
        enough: labels >= 30,
    }
}

fn expected(value: f64, photos: u64) -> Option<Expected> {
    Some(Expected { value, deviation: 0.004, photos })
}

/// A month of a small service, with labels enough.
pub fn month() -> Measured {
    let start = end() - TimeDelta::days(30);
    let wave = |day: i32| 0.78 + 0.05 * (f64::from(day) / 4.0).sin();
    let series = (0..30).map(|day| {
        let from = start + TimeDelta::days(i64::from(day));
        let labels = if day == 29 { 9 } else { 34 };
        WindowPoint {
            from,
            to: from + TimeDelta::days(1),
            photos: 400,
            accuracy: measure(wave(day), 0.09, labels, 400),
            check: Measure { method: MeasureMethod::RandomSample, ..measure(wave(day) - 0.03, 0.12, labels, 400) },
            expected: expected(0.86 - f64::from(day) * 0.001, 400),
            provisional: day > 27,
        }
    });
    let per_class = CLASSES.iter().enumerate().map(|(at, class)| {
        let labels = if at == 1 { 12 } else { 36 + at as u64 };
        ClassMeasures {
            class: (*class).to_owned(),
            answered: 1_094,
            labels,
            precision: measure(0.6 + at as f64 * 0.03, 0.1, labels, 1_094),
            recall: measure(0.9 - at as f64 * 0.03, 0.09, labels, 1_094),
            f1: measure(0.75, 0.08, labels, 1_094),
        }
    });
    let cells = (0..11_u16).flat_map(|truth| {
        [(truth, 30.0 + f64::from(truth), 700.0), ((truth + 4) % 11, 5.0, 160.0), ((truth * 3 + 1) % 11, 2.0, 40.0)]
            .map(|(answer, labels, photos)| ConfusionCount { truth, answer, labels: labels as u64, photos })
    });
    let reliability = (0..10).map(|bin| {
        let confidence = 0.34 + 0.065 * f64::from(bin);
        let labels = if bin == 0 { 14 } else { 41 };
        ReliabilityPoint {
            from: confidence - 0.03,
            to: confidence + 0.03,
            photos: 1_203.4,
            confidence,
            accuracy: measure(confidence - 0.12 + 0.009 * f64::from(bin), 0.12, labels, 1_203),
        }
    });
    let finding = |what: &str, test: &str, effect: f64, matters: f64, p_value: f64, verdict| DriftFinding {
        what: what.to_owned(),
        test: test.to_owned(),
        effect,
        effect_that_matters: matters,
        p_value,
        verdict,
    };
    let measured = measure(0.784, 0.0315, 412, 12_034);
    let accuracy = Measure { lower: 0.751, upper: 0.814, ..measured };
    let evaluation = Evaluation {
        computed_at: end(),
        window: EvaluatedWindow { from: start, to: end(), name: Some(EvaluationWindow::Month), step: SeriesStep::Day },
        model: "food64-2".to_owned(),
        classes: CLASSES.map(str::to_owned).to_vec(),
        models: vec![
            ModelPeriod {
                version: "food64-2".to_owned(),
                first: start + TimeDelta::days(9),
                last: end(),
                photos: 9_120,
                live: true,
            },
            ModelPeriod {
                version: "food64-1".to_owned(),
                first: start - TimeDelta::days(60),
                last: start + TimeDelta::days(9),
                photos: 20_412,
                live: false,
            },
        ],
        takeovers: Vec::new(),
        campaign: Some(EvaluationCampaign { id: Uuid::from_u128(7), name: "Continuous".to_owned(), archived: false }),
        campaign_trouble: None,
        headline: Headline {
            accuracy,
            strata: vec![
                StratumResponse {
                    stratum: PhotoStratum::LowConfidence,
                    photos: 2_310,
                    drawn: 210,
                    labelled: 201,
                    share: 0.19,
                },
                StratumResponse { stratum: PhotoStratum::Flagged, photos: 96, drawn: 60, labelled: 58, share: 0.01 },
                StratumResponse {
                    stratum: PhotoStratum::Others,
                    photos: 9_628,
                    drawn: 160,
                    labelled: 153,
                    share: 0.80,
                },
            ],
            unlabelled: vec![PhotoStratum::Corrected],
            provisional: true,
            photos: 12_310,
            not_considered: 276,
            not_food: measure(0.031, 0.012, 430, 12_034),
            unreadable: measure(0.012, 0.007, 430, 12_034),
            nonresponse: Some(Bounds { lower: 0.77, upper: 0.79 }),
            check: Measure { method: MeasureMethod::RandomSample, ..measure(0.771, 0.052, 188, 12_034) },
            difference: Some(Measure { method: MeasureMethod::Difference, ..measure(0.788, 0.028, 188, 12_034) }),
            expected: expected(0.861, 12_310),
            tutorial_pooled: Measure { method: MeasureMethod::TutorialPooled, ..measure(0.529, 0.04, 412, 12_034) },
            offline: Some(OfflineAccuracy { value: 0.842, on: "of the held-out set".to_owned(), photos: 3_347 }),
            target: Some(0.8),
        },
        series: series.collect(),
        per_class: per_class.collect(),
        confusion: Confusion { cells: cells.collect(), macro_f1: Some(0.752), macro_f1_enough: false },
        calibration: Calibration {
            reliability: reliability.collect(),
            expected_error: Some(0.087),
            brier: Some(0.141),
            log_loss: Some(0.443),
            labels: 412,
            enough: true,
        },
        confidence: (0..10)
            .map(|bin| ConfidenceBin {
                from: f64::from(bin) / 10.0,
                to: f64::from(bin + 1) / 10.0,
                photos: [0, 12, 140, 390, 700, 905, 1_110, 1_420, 2_480, 5_153][bin as usize],
                reference: Some([0, 0, 4, 16, 50, 70, 110, 150, 250, 350][bin as usize]),
            })
            .collect(),
        traffic: CLASSES
            .iter()
            .enumerate()
            .map(|(at, class)| TrafficClass {
                class: (*class).to_owned(),
                photos: 700 + 90 * at as u64,
                reference: 160 - 9 * at as u64,
            })
            .collect(),
        drift: Drift {
            reference_from: Some(start - TimeDelta::days(60)),
            reference_to: Some(start - TimeDelta::days(57)),
            reference_photos: 1_000,
            photos: 12_310,
            photos_for_reference: 1_000,
            findings: vec![
                finding("class_mix", "chi_square", 0.061, 0.1, 0.003, DriftWord::Negligible),
                finding("class_mix", "psi", 0.231, 0.2, 0.0004, DriftWord::Drifted),
                finding("confidence", "kolmogorov_smirnov", 0.031, 0.1, 0.21, DriftWord::Stable),
            ],
            not_tested: vec![NotTested { what: "embedding".to_owned(), why: "no embedding is kept".to_owned() }],
        },
        devices: DeviceFigures {
            photos: 12_310,
            same_version: DeviceShare {
                answered: 8_140,
                disagreed: 12,
                share: Some(0.00147),
                lower: 0.00084,
                upper: 0.00258,
            },
            other_versions: DeviceShare { answered: 0, disagreed: 0, share: None, lower: 0.0, upper: 1.0 },
        },
        feedback: FeedbackFigures {
            photos: 12_310,
            flagged: 512,
            corrected: 301,
            complained: 690,
            flag_rate: Some(0.0416),
            correction_rate: Some(0.0245),
            accepted_rate: Some(0.944),
            flag_precision: measure(0.831, 0.07, 58, 96),
            flag_recall: measure(0.164, 0.05, 89, 2_600),
            correction_precision: measure(0.7, 0.3, 8, 40),
            visitors: Some(Returning { visits: 1_904, returning: 611 }),
        },
        funnel: Funnel {
            photos: 12_310,
            considered: 12_034,
            drawn: 430,
            labelled: 412,
            classed: 394,
            not_food: 13,
            unreadable: 5,
            backlog: 18,
            oldest_seconds: Some(187_000),
        },
        agreement: AnnotatorAgreement {
            annotators: 3,
            agreed: 41,
            fleiss: KappaMeasure { value: Some(0.782), lower: 0.641, upper: 0.883, photos: 48, enough: true },
            pairs: vec![
                AnnotatorPair {
                    first: "ann".to_owned(),
                    second: "bob".to_owned(),
                    agreed: 31,
                    kappa: KappaMeasure { value: Some(0.803), lower: 0.643, upper: 0.911, photos: 36, enough: true },
                },
                AnnotatorPair {
                    first: "ann".to_owned(),
                    second: "cleo".to_owned(),
                    agreed: 10,
                    kappa: KappaMeasure { value: Some(0.7), lower: 0.2, upper: 0.9, photos: 12, enough: false },
                },
            ],
            errors: Some(AnnotatorErrors { rate: 0.076, lower: 0.835, upper: 0.848, photos: 48, enough: true }),
        },
        plan: LabelPlan {
            curve: [(0, 0.0315), (50, 0.029), (100, 0.0268), (200, 0.0241), (500, 0.0187)]
                .map(|(labels, half_width)| PlanPoint { labels, half_width })
                .to_vec(),
            budget: 200,
            allocation: vec![
                PlannedStratum {
                    stratum: PhotoStratum::LowConfidence,
                    photos: 2_310,
                    labelled: 201,
                    accuracy: 0.48,
                    labels: 62,
                },
                PlannedStratum {
                    stratum: PhotoStratum::Others,
                    photos: 9_628,
                    labelled: 153,
                    accuracy: 0.87,
                    labels: 138,
                },
            ],
        },
        decision: Decision {
            verdict: Verdict::Watch,
            rule: "Retrain where the alarm has rung or two complete days in a row lie below the target.".to_owned(),
            reasons: vec![
                "Accuracy lies below its target of 80%, and its interval holds it.".to_owned(),
                "The class mix has changed: a hint, no proof.".to_owned(),
            ],
            history: vec![PastDecision {
                number: 17,
                computed_at: start,
                verdict: Verdict::Keep,
                accuracy: measure(0.82, 0.03, 390, 11_000),
            }],
        },
        slices: None,
        uncounted: 0,
        manifest: "/api/v1/evaluation/manifest?window=30d".to_owned(),
    };
    Measured { evaluation, work: Default::default(), operation: Operation::default() }
}

/// The same month while work waits, and a run has failed.
pub fn busy() -> Measured {
    let mut measured = month();
    let run = Run {
        id: Uuid::from_u128(9),
        pipeline: "select".to_owned(),
        campaign: None,
        start: end() - TimeDelta::hours(1),
        end: end(),
        cause: Cause::Schedule,
        dry_run: false,
        state: RunState::Failed,
        attempts: 3,
        due_at: None,
        created_at: end(),
        started_at: None,
        ended_at: None,
        counts: Default::default(),
        error: Some("the object store does not answer".to_owned()),
        steps: Vec::new(),
        log: Vec::new(),
    };
    let pipeline = |name: &str, next_run, last_run| PipelineInfo {
        name: name.to_owned(),
        about: String::new(),
        steps: Vec::new(),
        needs_campaign: true,
        schedules: 1,
        next_run,
        last_run,
    };
    measured.work.pipelines.items =
        vec![pipeline("select", Some(end() + TimeDelta::minutes(30)), Some(run)), pipeline("tags", None, None)];
    measured.operation =
        Operation { outbox_backlog: 1_204, outbox_since: Some(end() - TimeDelta::hours(3)), records_waiting: 37 };
    measured.evaluation.uncounted = 5;
    measured
}

/// One photo, which somebody flagged and a device took for something else; it waits for its label.
pub fn one() -> Measured {
    let mut measured = few();
    let evaluation = &mut measured.evaluation;
    let none = Measure { photos: 1, ..Measure::UNKNOWN };
    let headline = &mut evaluation.headline;
    (headline.photos, headline.not_considered) = (1, 0);
    (headline.accuracy, headline.check, headline.tutorial_pooled) = (none, none, none);
    (headline.nonresponse, headline.unlabelled) = (None, vec![PhotoStratum::Flagged]);
    headline.expected = expected(0.61, 1);
    headline.strata =
        vec![StratumResponse { stratum: PhotoStratum::Flagged, photos: 1, drawn: 1, labelled: 0, share: 1.0 }];
    evaluation.models.truncate(1);
    evaluation.models[0].photos = 1;
    for point in &mut evaluation.series {
        (point.accuracy, point.check, point.photos, point.expected) = (none, none, 1, expected(0.61, 1));
    }
    for class in &mut evaluation.per_class {
        (class.precision, class.recall, class.f1) = (none, none, none);
        (class.answered, class.labels) = (u64::from(class.class == "Soup"), 0);
    }
    (evaluation.confusion, evaluation.calibration) = (Confusion::default(), Calibration::default());
    for (bin, place) in evaluation.confidence.iter_mut().zip(0..) {
        bin.photos = u64::from(place == 6);
    }
    for class in &mut evaluation.traffic {
        (class.photos, class.reference) = (u64::from(class.class == "Soup"), 0);
    }
    evaluation.drift.reference_photos = 1;
    evaluation.devices.photos = 1;
    evaluation.devices.same_version =
        DeviceShare { answered: 1, disagreed: 1, share: Some(1.0), lower: 0.207, upper: 1.0 };
    evaluation.feedback = FeedbackFigures {
        photos: 1,
        flagged: 1,
        corrected: 0,
        complained: 1,
        flag_rate: Some(1.0),
        correction_rate: Some(0.0),
        accepted_rate: Some(0.0),
        flag_precision: none,
        flag_recall: none,
        correction_precision: none,
        visitors: None,
    };
    evaluation.funnel =
        Funnel { photos: 1, considered: 1, drawn: 1, backlog: 1, oldest_seconds: Some(90), ..Funnel::default() };
    (evaluation.agreement, evaluation.plan) = (AnnotatorAgreement::default(), LabelPlan::default());
    measured
}

/// Thirty photos, twelve labels.
pub fn few() -> Measured {
    let mut measured = month();
    let evaluation = &mut measured.evaluation;
    let small = Measure { lower: 0.41, upper: 0.88, ..measure(0.694, 0.2, 12, 30) };
    evaluation.headline.accuracy = small;
    evaluation.headline.check = measure(0.6, 0.3, 4, 30);
    evaluation.headline.difference = None;
    evaluation.headline.photos = 30;
    evaluation.headline.not_food = Measure::UNKNOWN;
    evaluation.headline.unreadable = Measure::UNKNOWN;
    evaluation.series.truncate(1);
    for point in &mut evaluation.series {
        (point.accuracy, point.photos) = (small, 30);
    }
    for class in &mut evaluation.per_class {
        let one = measure(1.0, 0.5, 1, 3);
        (class.precision, class.recall, class.f1) = (one, one, one);
    }
    evaluation.confusion.cells.truncate(4);
    evaluation.confusion.macro_f1 = None;
    evaluation.calibration.reliability.truncate(1);
    (evaluation.calibration.labels, evaluation.calibration.enough) = (12, false);
    evaluation.drift = Drift { photos_for_reference: 1_000, reference_photos: 30, ..Drift::default() };
    for bin in &mut evaluation.confidence {
        bin.reference = None;
    }
    evaluation.decision.verdict = Verdict::Unknown;
    evaluation.decision.history.clear();
    measured
}

/// Estimates that stand on the page [`resting_on`] labels enough, as they are written there.
pub const ESTIMATES: [&str; 24] = [
    "61.1 %",
    "61.2%",
    "61.3%",
    "61.4%",
    "61.5%",
    "61.6%",
    "62.1%",
    "62.2%",
    "62.3%",
    "62.4%",
    "63.1%",
    "0.632",
    "0.633",
    "64.1%",
    "65.1%",
    "65.2%",
    "65.3%",
    "0.66",
    "60.3% to 60.4%",
    "67.1%",
    "68.1%",
    "68.2%",
    "83%",
    "90.1%",
];

/// Forty photos, and every estimate rests on so many labels.
pub fn resting_on(labels: u64) -> Measured {
    let of = |value: f64| if labels == 0 { Measure::UNKNOWN } else { measure(value, 0.1, labels, 40) };
    let some = |value: f64| (labels > 0).then_some(value);
    let enough = labels >= 30;
    let mut measured = month();
    let evaluation = &mut measured.evaluation;
    let headline = &mut evaluation.headline;
    (headline.accuracy, headline.check) = (of(0.611), of(0.612));
    (headline.difference, headline.tutorial_pooled) = (Some(of(0.613)), of(0.614));
    (headline.not_food, headline.unreadable) = (of(0.615), of(0.616));
    (headline.strata, headline.photos) = (Vec::new(), 40);
    headline.strata.push(StratumResponse {
        stratum: PhotoStratum::Others,
        photos: 40,
        drawn: 40,
        labelled: labels,
        share: 1.0,
    });
    headline.nonresponse = (labels > 0).then_some(Bounds { lower: 0.901, upper: 0.902 });
    for class in &mut evaluation.per_class {
        (class.precision, class.recall, class.f1) = (of(0.621), of(0.622), of(0.623));
        (class.labels, class.answered) = (labels, 40);
    }
    let cell = |answer, labels, photos| ConfusionCount { truth: 0, answer, labels, photos };
    evaluation.confusion = Confusion {
        cells: if labels == 0 { Vec::new() } else { vec![cell(0, labels, 33.2), cell(1, 0, 6.8)] },
        macro_f1: some(0.624),
        macro_f1_enough: enough,
    };
    let point = ReliabilityPoint { from: 0.5, to: 0.6, photos: 40.0, confidence: 0.55, accuracy: of(0.641) };
    evaluation.calibration = Calibration {
        reliability: vec![point],
        expected_error: some(0.631),
        brier: some(0.632),
        log_loss: some(0.633),
        labels,
        enough,
    };
    let feedback = &mut evaluation.feedback;
    (feedback.flag_precision, feedback.flag_recall, feedback.correction_precision) = (of(0.651), of(0.652), of(0.653));
    let kappa = |value| KappaMeasure { value: some(value), lower: 0.5, upper: 0.8, photos: labels, enough };
    evaluation.agreement = AnnotatorAgreement {
        annotators: 2,
        agreed: labels,
        fleiss: kappa(0.66),
        pairs: Vec::new(),
        errors: (labels > 0).then_some(AnnotatorErrors {
            rate: 0.01,
            lower: 0.603,
            upper: 0.604,
            photos: labels,
            enough,
        }),
    };
    let slice = Slice { name: "food64-1".to_owned(), photos: 40, accuracy: of(0.671) };
    evaluation.slices = Some(Slices { by: SliceBy::Model, items: vec![slice], too_many: false });
    evaluation.series.truncate(1);
    for point in &mut evaluation.series {
        (point.accuracy, point.check, point.photos) = (of(0.681), of(0.682), 40);
    }
    measured
}

/// Photos, and nobody who labels them.
pub fn without_campaign() -> Measured {
    let mut measured = few();
    let evaluation = &mut measured.evaluation;
    evaluation.campaign = None;
    let headline = &mut evaluation.headline;
    (headline.accuracy, headline.check, headline.tutorial_pooled) =
        (Measure::UNKNOWN, Measure::UNKNOWN, Measure::UNKNOWN);
    (headline.strata, headline.unlabelled, headline.nonresponse) = (Vec::new(), Vec::new(), None);
    for point in &mut evaluation.series {
        (point.accuracy, point.check) = (Measure::UNKNOWN, Measure::UNKNOWN);
    }
    for class in &mut evaluation.per_class {
        (class.precision, class.recall, class.f1) = (Measure::UNKNOWN, Measure::UNKNOWN, Measure::UNKNOWN);
    }
    evaluation.confusion = Confusion::default();
    evaluation.calibration = Calibration::default();
    evaluation.plan = LabelPlan::default();
    evaluation.funnel = Funnel { photos: 30, ..Funnel::default() };
    evaluation.agreement = AnnotatorAgreement::default();
    measured
}

/// A service that has just been started.
pub fn nothing() -> Measured {
    let mut measured = without_campaign();
    let evaluation = &mut measured.evaluation;
    evaluation.headline.photos = 0;
    evaluation.models.clear();
    evaluation.series.clear();
    measured
}

/// Labels that the model contradicts.
pub fn suspects() -> SuspectLabels {
    let evaluation = month().evaluation;
    let suspect = |number: u128, label: &str, margin: f64| SuspectLabel {
        prediction: Uuid::from_u128(0x0199_3c6e_5b1c_7c3e_9d51_6f3c_2f3f_9a00 + number)
            .try_into()
            .expect("a UUID of version 7"),
        label: label.to_owned(),
        answer: "Soup".to_owned(),
        confidence: 0.981,
        self_confidence: 0.981 + margin,
        margin,
    };
    let items = vec![suspect(1, "Egg", -0.979), suspect(2, "Rice", -0.911)];
    SuspectLabels { window: evaluation.window, model: evaluation.model, contradicted: 91, items }
}
