//! The HTTP contract's types, once: the server writes them, the browser and machine clients read them.
//!
//! Everything here compiles natively and for `wasm32-unknown-unknown`, does no input or output, and cannot be wrong
//! once built: a [`PredictionId`] is a UUID version 7, a [`Confidence`] lies in 0 to 1.
//!
//! With the feature `openapi` the types also describe themselves for `/api/openapi.json`.

mod bulk;
mod class;
mod evaluation;
mod export;
mod feedback;
mod labelling;
mod limits;
mod listing;
mod model;
mod objects;
mod pipelines;
mod prediction;
mod problem;
mod review;
mod selecting;
mod viewer;

pub use bulk::{FlagOutcome, FlagResult, FlagsAnswer, FlagsRequest, MAX_FLAGS, WantedFlag};
pub use class::{ClassIndex, Classes, ClassesError};
pub use evaluation::{
    AnnotatorAgreement, AnnotatorErrors, AnnotatorPair, Bounds, Calibration, ClassMeasures, ConfidenceBin, Confusion,
    ConfusionCount, Decision, DeviceFigures, DeviceShare, Drift, DriftFinding, DriftWord, ENOUGH_LABELS,
    EvaluatedWindow, Evaluation, EvaluationCampaign, EvaluationQuery, EvaluationWindow, Expected, FeedbackFigures,
    Funnel, Headline, KappaMeasure, LabelPlan, Measure, MeasureMethod, ModelPeriod, NotTested, OfflineAccuracy,
    PastDecision, PlanPoint, PlannedStratum, PublishedEvaluation, ReliabilityPoint, Returning, SeriesStep, Slice,
    SliceBy, Slices, StratumResponse, SuspectLabel, SuspectLabels, Takeover, TrafficClass, UnusableEvaluation, Verdict,
    WindowPoint,
};
pub use export::{ExportFormat, FolderBy, UnknownExport};
pub use feedback::{CorrectionRequest, Feedback, FeedbackKind, FlagReason, FlagRequest, UnknownFlagReason};
pub use labelling::{
    Campaign, CampaignProgress, CampaignRule, LabelledIn, LowConfidence, NewCampaign, RandomDraw, Seen, Uncertainty,
    UnusableCampaign,
};
pub use limits::UploadLimits;
pub use listing::{
    Cursor, Facets, Neighbours, Place, PredictionPage, PredictionQuery, SortKey, SortOrder, Total, UnusableFilter,
};
pub use model::{DeviceModel, LiveModel};
pub use objects::{ObjectState, ObjectTag, StoredObject, StoredObjects};
pub use pipelines::{
    Backfill, Cause, Counts, LogLine, NewBackfill, NewRun, PipelineInfo, Pipelines, Run, RunPage, RunState, RunStep,
    UnknownWord,
};
pub use prediction::{
    Annotation, ClassProbability, Confidence, ConfidenceOutOfRange, Decoder, DeviceAnswer, DeviceComparison,
    InvalidPixelSize, InvalidPredictionId, NewPrediction, PixelSize, Prediction, PredictionId, StorageState,
    TutorialAnswer, TutorialRequest, UnknownDeviceComparison,
};
pub use problem::{Problem, ProblemKind};
pub use review::{
    AnnotationPage, AnnotationQuery, AnnotationRecord, GivenAnnotation, MAX_TASKS, NewAnnotation, ReviewCampaign,
    ReviewDesk, ReviewQuery, ReviewTask, ReviewTasks, ShownAnswer, TaskPage, TaskQuery, TaskRecord,
};
pub use selecting::{
    CampaignList, CampaignName, CampaignPreset, CampaignPreview, CampaignRequest, Interval, PhotoStratum,
    PresetRequest, PreviewRequest, SelectRequest, Selected, StratumCounts, UnknownPreset,
};
pub use viewer::{Role, UnknownRole, Viewer};
