//! What every chart has around its drawing: heading, description, legend, and the table behind it.

use leptos::prelude::*;

/// How a series is drawn, as a legend shows it. Shapes differ, not colours alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swatch {
    /// A line with dots.
    Estimate,
    /// A band.
    Interval,
    /// Hollow diamonds.
    Check,
    /// A dashed line.
    Expected,
    /// A line of dots and dashes.
    Target,
    /// A hatched ground.
    Provisional,
    /// Filled bars.
    Bars,
    /// An outline.
    Outline,
    /// The diagonal.
    Diagonal,
    /// An upright line.
    Change,
}

impl Swatch {
    fn class(self) -> &'static str {
        match self {
            Self::Estimate => "estimate",
            Self::Interval => "interval",
            Self::Check => "check",
            Self::Expected => "expected",
            Self::Target => "target",
            Self::Provisional => "provisional",
            Self::Bars => "bars",
            Self::Outline => "outline",
            Self::Diagonal => "diagonal",
            Self::Change => "change",
        }
    }

    fn view(self) -> AnyView {
        match self {
            Self::Estimate => view! {
                <line class="chart__join" x1="0" x2="100%" y1="50%" y2="50%"/>
                <circle class="chart__dot" cx="50%" cy="50%" r="4.5"/>
            }
            .into_any(),
            Self::Interval => view! { <rect class="chart__band" width="100%" height="100%"/> }.into_any(),
            Self::Check => view! { <svg x="50%" y="50%" class="chart__mark"><path class="chart__check" d=DIAMOND/></svg> }.into_any(),
            Self::Expected => view! { <line class="chart__expected" x1="0" x2="100%" y1="50%" y2="50%"/> }.into_any(),
            Self::Target => view! { <line class="chart__target" x1="0" x2="100%" y1="50%" y2="50%"/> }.into_any(),
            Self::Provisional => view! {
                <rect class="chart__frame" width="100%" height="100%"/>
                {[-10, 0, 10, 20].map(|x| view! { <line class="chart__hatch" x1=x x2=x + 14 y1="14" y2="0"/> }).collect_view()}
            }
            .into_any(),
            Self::Bars => view! { <rect class="chart__bar" width="100%" height="100%"/> }.into_any(),
            Self::Outline => view! { <line class="chart__outline" x1="0" x2="100%" y1="50%" y2="50%"/> }.into_any(),
            Self::Diagonal => view! { <line class="chart__diagonal" x1="0" x2="100%" y1="100%" y2="0"/> }.into_any(),
            Self::Change => view! { <line class="chart__change" x1="50%" x2="50%" y1="0" y2="100%"/> }.into_any(),
        }
    }
}

/// The diamond of the check points, around its place.
pub(super) const DIAMOND: &str = "M0 -5.500L5.500 0L0 5.500L-5.500 0Z";

/// The heads of a table's columns of numbers.
pub(super) fn columns<const COUNT: usize>(heads: [AnyView; COUNT]) -> AnyView {
    let heads = heads.into_iter().map(|head| view! { <th scope="col" class="number">{head}</th> });
    heads.collect_view().into_any()
}

/// One line of a legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// How it is drawn.
    pub swatch: Swatch,
    /// What it is.
    pub name: String,
}

/// A chart with all that belongs to it.
pub struct Figure {
    /// Unlike every other on the page.
    pub id: &'static str,
    /// The heading.
    pub title: AnyView,
    /// What is to be seen, in a sentence or two, with the most important numbers: what stands for the drawing where it
    /// cannot be seen.
    pub description: String,
    /// What is drawn how.
    pub legend: Vec<Key>,
    /// What `style/charts.css` knows the drawing's size by: `time`, `square`, `low`.
    pub shape: &'static str,
    /// What the axis downwards counts.
    pub up: &'static str,
    /// What the axis along counts; empty where that is plain.
    pub along: &'static str,
    /// What is in the drawing.
    pub drawing: AnyView,
    /// Rows and heads of the table behind it.
    pub table: AnyView,
}

impl Key {
    /// What is drawn like this.
    pub fn new(swatch: Swatch, name: impl Into<String>) -> Self {
        Self { swatch, name: name.into() }
    }
}

impl std::fmt::Debug for Figure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Figure").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Figure {
    /// The figure.
    pub fn view(self) -> AnyView {
        let Self { id, title, description, legend, shape, up, along, drawing, table } = self;
        let (heading, text) = (format!("{id}-title"), format!("{id}-text"));
        let [of_figure, of_drawing, of_table] = [heading.clone(), heading.clone(), heading.clone()];
        let keys = legend.into_iter().map(|Key { swatch, name }| {
            view! {
                <li class="chart__key">
                    <svg class=format!("chart__swatch chart__swatch--{}", swatch.class()) aria-hidden="true" focusable="false">
                        {swatch.view()}
                    </svg>
                    {name}
                </li>
            }
        });
        let keys = keys.collect_view();
        view! {
            <figure class="chart" aria-labelledby=of_figure>
                <figcaption class="chart__caption">
                    <h3 class="chart__title" id=heading>{title}</h3>
                    <p class="chart__text" id=text.clone()>{description}</p>
                </figcaption>
                <ul class="chart__legend">{keys}</ul>
                <div class=format!("chart__plot chart__plot--{shape}")>
                    <p class="chart__unit" aria-hidden="true">{up}</p>
                    <svg class="chart__drawing" role="img" aria-labelledby=of_drawing aria-describedby=text>
                        {drawing}
                    </svg>
                    {(!along.is_empty()).then(|| view! { <p class="chart__unit chart__unit--along" aria-hidden="true">{along}</p> })}
                </div>
                <details class="chart__numbers" id=format!("{id}-numbers")>
                    <summary>"The numbers as a table"</summary>
                    <div class="table-scroll" tabindex="0" role="region" aria-labelledby=of_table>
                        <table class="data-table data-table--dense">{table}</table>
                    </div>
                </details>
            </figure>
        }
        .into_any()
    }
}
