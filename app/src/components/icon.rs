//! The product's few drawings. All are decoration: the words stand beside them.

use leptos::prelude::*;

/// Line icons on a grid of 24, drawn in the colour of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// Take a photo.
    Camera,
    /// Choose a photo.
    Picture,
    /// Flagged.
    Flag,
    /// Said otherwise.
    Pencil,
    /// Erase.
    Bin,
    /// Done, stored.
    Check,
    /// Take back.
    Undo,
    /// Something is wrong.
    Warning,
    /// Close, cancel.
    Cross,
    /// Once more.
    Again,
    /// Waits its turn.
    Clock,
    /// No connection.
    Offline,
    /// Measurements.
    Gauge,
    /// Many photos.
    Grid,
    /// What is to be done, by item.
    List,
    /// Looked at and labelled.
    Tick,
    /// Steps after each other.
    Flow,
    /// Versions on top of each other.
    Layers,
    /// Not to be seen.
    Covered,
    /// Not this one.
    Skip,
}

impl Icon {
    /// What draws it.
    pub fn path(self) -> &'static str {
        match self {
            Self::Camera => {
                "M4 8.5A1.5 1.5 0 0 1 5.5 7h2.1l1.5-2.2h5.8L16.4 7h2.1A1.5 1.5 0 0 1 20 8.5v9a1.5 1.5 0 0 1-1.5 \
                 1.5h-13A1.5 1.5 0 0 1 4 17.5zM12 16a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5z"
            }
            Self::Picture => {
                "M5.5 4.5h13A1.5 1.5 0 0 1 20 6v12a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 18V6a1.5 1.5 0 0 1 \
                 1.5-1.5zM4.5 17l4.7-5 3.6 3.7 2.4-2.4 4.3 4.2M15.5 9.2h.01"
            }
            Self::Flag => "M6 20.5V4M6 4.8c4-2.6 7.6 2.2 12.5 0v8.6c-4.9 2.2-8.5-2.6-12.5 0",
            Self::Pencil => {
                "M5 19l.8-3.700L15.7 5.400a1.4 1.4 0 0 1 2 0l.9.9a1.4 1.4 0 0 1 0 2L8.7 18.200zM13.9 7.200l2.9 2.9"
            }
            Self::Bin => "M5 7h14M9.5 7V4.800h5V7M7 7l.8 12.200h8.400L17 7M10.3 10.500v5.500M13.7 10.500v5.5",
            Self::Check => "M5 12.800l4.3 4.200L19 7.5",
            Self::Undo => "M8.5 5L4.8 8.700l3.7 3.700M5.2 8.700h8.300a5 5 0 0 1 0 10H8.5",
            Self::Warning => "M12 4.300l8.5 15h-17zM12 10v4.500M12 16.900h.01",
            Self::Cross => "M6.5 6.5l11 11M17.5 6.5l-11 11",
            Self::Again => "M18.5 12a6.5 6.5 0 1 1-2-4.700M17 4v3.600h-3.600",
            Self::Clock => "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 7.500V12l3 2",
            Self::Offline => {
                "M4.500 10.500a10.700 10.700 0 0 1 15 0M7.500 13.800a6.400 6.400 0 0 1 9 0M12 17.500h.01M5 4l14 16"
            }
            Self::Gauge => "M4.500 17a8.500 8.500 0 1 1 15 0zM12 13.500l3.500-4.500",
            Self::Grid => {
                "M5 5h5.500v5.500H5zM13.500 5H19v5.500h-5.500zM5 13.500h5.500V19H5zM13.500 13.500H19V19h-5.500z"
            }
            Self::List => "M9.500 6.500H19M9.500 12H19M9.500 17.500H19M5.500 6.500h.01M5.500 12h.01M5.500 17.500h.01",
            Self::Tick => "M5.500 4.500h13v15h-13zM8.700 12.300l2.300 2.300 4.300-4.800",
            Self::Flow => {
                "M5 8.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM19 19.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 6.500h7a3 3 0 0 1 0 6h-4a3 \
                 3 0 0 0 0 6h7"
            }
            Self::Covered => {
                "M4 12c2-3.700 4.800-5.500 8-5.500s6 1.800 8 5.500c-2 3.700-4.800 5.500-8 5.500S6 15.700 4 12zM5 4.500l14 15"
            }
            Self::Skip => "M5.500 6l7 6-7 6zM12.500 6l7 6-7 6z",
            Self::Layers => {
                "M12 4.500l8 4-8 4-8-4zM4.500 12.200l7.500 3.700 7.500-3.700M4.500 15.800l7.500 3.700 7.500-3.700"
            }
        }
    }

    /// The icon as an element, hidden from screen readers.
    pub fn view(self) -> impl IntoView {
        view! {
            <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
                <path d=self.path()/>
            </svg>
        }
    }
}

/// The sign and the name: a plate seen from above, with the scale's needle on it.
#[component]
pub fn Wordmark() -> impl IntoView {
    view! {
        <svg class="wordmark__sign" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <circle class="wordmark__plate" cx="16" cy="16" r="14"/>
            <circle class="wordmark__well" cx="16" cy="16" r="8.5"/>
            <path class="wordmark__needle" d="M16 16L20.6 8.2"/>
            <circle class="wordmark__hub" cx="16" cy="16" r="2"/>
        </svg>
        <span class="wordmark__name">"GourmetGram"</span>
    }
}
