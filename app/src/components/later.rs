//! Parts of a page that come alive in tasks of their own.
//!
//! Hydrating a long page in one go keeps a phone's only thread from a finger for too long. What is wrapped by [`later`] is
//! left as the server rendered it while the page around it comes alive, and comes alive itself in a task that follows. So
//! until then nothing may change what it is made of: what would waits for [`once_alive`].

use leptos::prelude::*;

#[cfg(not(feature = "ssr"))]
pub(crate) use self::in_browser::later;

/// The only child of its element, hydrated after what is around it. What `part` makes must not wait for anything. On the
/// server, and in a page that is built by the browser, it is built at once.
#[cfg(feature = "ssr")]
pub(crate) fn later<V>(part: impl FnOnce() -> V + Send + 'static) -> V {
    part()
}

/// What the page's root element is marked with once all of the page has come alive: for style sheets and tests, too.
const ALIVE: &str = "data-alive";

/// Marks the page as alive.
fn mark_alive() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute(ALIVE, "");
    }
}

/// Whether all that came with the document has come alive.
pub(crate) fn is_alive() -> bool {
    cfg!(not(feature = "ssr")) && document().document_element().is_some_and(|root| root.has_attribute(ALIVE))
}

/// Does something in the browser once all that came with the document has come alive; at once on a page that the browser
/// built.
pub(crate) fn once_alive(task: impl FnOnce() + 'static) {
    let sleeping = use_context::<Sleeping>();
    let mut task = Some(task);
    Effect::new(move |_| {
        if sleeping.is_none_or(Sleeping::is_over)
            && let Some(task) = task.take()
        {
            untrack(task);
        }
    });
}

/// The parts of the page that still sleep; the page is not alive before they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sleeping {
    number: RwSignal<usize>,
    /// From then on nothing is read of what came with the document.
    end_hydration: Callback<()>,
    #[cfg(not(feature = "ssr"))]
    parts: StoredValue<Vec<self::in_browser::Nap>, LocalStorage>,
    /// Whether an event wakes them.
    #[cfg(not(feature = "ssr"))]
    listens: StoredValue<bool>,
}

impl Sleeping {
    /// Nothing sleeps yet.
    pub(crate) fn none() -> Self {
        let document = Owner::current_shared_context();
        Self {
            number: RwSignal::new(0),
            end_hydration: Callback::new(move |()| {
                if let Some(document) = &document {
                    document.hydration_complete();
                }
            }),
            #[cfg(not(feature = "ssr"))]
            parts: StoredValue::new_local(Vec::new()),
            #[cfg(not(feature = "ssr"))]
            listens: StoredValue::new(false),
        }
    }

    /// Whether none does; tells who asks once none does any more.
    fn is_over(self) -> bool {
        self.number.get() == 0
    }

    /// Marks the page as alive once nothing sleeps, and ends its hydration: what is asked for from then on has not come
    /// with the document. To be called where the page begins.
    pub(crate) fn until_alive(self) {
        Effect::new(move |_| {
            if self.is_over() {
                self.end_hydration.run(());
                mark_alive();
            }
        });
    }
}

#[cfg(not(feature = "ssr"))]
mod in_browser {
    use std::{
        cell::{Cell, RefCell},
        fmt,
        rc::Rc,
        time::Duration,
    };

    use leptos::{
        prelude::*,
        tachys::{
            html::attribute::{Attribute, any_attribute::AnyAttribute},
            hydration::Cursor,
            renderer::types::{Element, Node},
            view::{Mountable, Position, PositionState, Render, RenderHtml, add_attr::AddAnyAttr},
        },
    };
    use send_wrapper::SendWrapper;
    use wasm_bindgen::{JsCast, closure::Closure};

    use super::Sleeping;

    type Wake = Box<dyn FnOnce()>;

    /// What wakes a part, until it has.
    #[derive(Clone)]
    pub(super) struct Nap(Rc<Cell<Option<Wake>>>);

    impl fmt::Debug for Nap {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("Nap")
        }
    }

    impl Sleeping {
        fn put_to_sleep(self, wake: impl FnOnce() + 'static) -> Nap {
            let nap = Nap(Rc::new(Cell::new(Some(Box::new(wake)))));
            self.number.update_untracked(|number| *number += 1);
            self.parts.update_value(|parts| parts.push(nap.clone()));
            if !self.listens.get_value() {
                self.listens.set_value(true);
                self.wake_all_when_used();
            }
            nap
        }

        fn wake(self, nap: &Nap) {
            if let Some(wake) = nap.0.take() {
                wake();
                self.one_less();
            }
        }

        /// It will not wake any more: its place in the page is gone.
        fn forget(self, nap: &Nap) {
            if nap.0.take().is_some() {
                self.one_less();
            }
        }

        fn one_less(self) {
            let left = self.number.try_update_untracked(|number| {
                *number -= 1;
                *number
            });
            if left == Some(0) {
                // At once: whoever woke the last one may go to another page in the same breath.
                self.end_hydration.run(());
                self.number.notify();
            }
        }

        /// Whoever does something finds the whole page alive. What they do may change what a part is made of, and a part
        /// must wake as the server made it; and they may mean something in it. So all of them wake before anything else
        /// hears of it.
        fn wake_all_when_used(self) {
            let wake_all = Closure::<dyn Fn()>::new(move || {
                // A part that wakes may have parts of its own.
                while let Some(parts) = self.parts.try_update_value(std::mem::take).filter(|parts| !parts.is_empty()) {
                    parts.iter().for_each(|nap| self.wake(nap));
                }
            });
            let wake_all = wake_all.into_js_value();
            for event in ["click", "keydown", "change", "drop", "paste", "popstate"] {
                // Without it the page is as alive as it is.
                let _ = window().add_event_listener_with_callback_and_bool(event, wake_all.unchecked_ref(), true);
            }
        }
    }

    /// The only child of its element, hydrated after what is around it. What `part` makes must not wait for anything. On
    /// the server, and in a page that is built by the browser, it is built at once.
    pub(crate) fn later<V: RenderHtml>(part: impl FnOnce() -> V + Send + 'static) -> Later<V> {
        Later { part: Box::new(part), owner: Owner::current() }
    }

    /// See [`later`].
    pub(crate) struct Later<V> {
        part: Box<dyn FnOnce() -> V + Send>,
        owner: Option<Owner>,
    }

    impl<V> Later<V> {
        fn make(self) -> V {
            (self.part)()
        }
    }

    /// What is there of a part: nothing while it sleeps. Its nodes are then in its element, and go with it.
    pub(crate) struct Part<S>(Rc<RefCell<Option<S>>>);

    impl<V: RenderHtml + 'static> Render for Later<V> {
        type State = Part<V::State>;

        fn build(self) -> Self::State {
            Part(Rc::new(RefCell::new(Some(self.make().build()))))
        }

        fn rebuild(self, state: &mut Self::State) {
            if let Some(state) = state.0.borrow_mut().as_mut() {
                self.make().rebuild(state);
            }
        }
    }

    impl<V: RenderHtml + 'static> RenderHtml for Later<V> {
        type AsyncOutput = V::AsyncOutput;
        type Owned = Self;

        const MIN_LENGTH: usize = V::MIN_LENGTH;

        fn dry_resolve(&mut self) {}

        async fn resolve(self) -> Self::AsyncOutput {
            self.make().resolve().await
        }

        fn to_html_with_buf(
            self,
            buffer: &mut String,
            position: &mut Position,
            escape: bool,
            mark_branches: bool,
            attributes: Vec<AnyAttribute>,
        ) {
            self.make().to_html_with_buf(buffer, position, escape, mark_branches, attributes);
        }

        fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, _: &PositionState) -> Self::State {
            let Self { part, owner } = self;
            let state = Rc::new(RefCell::new(None));
            // An element's children are hydrated with the cursor still at the element.
            let Ok(element) = cursor.current().dyn_into::<Element>() else { return Part(state) };
            let sleeping = use_context::<Sleeping>().unwrap_or_else(Sleeping::none);
            let owner = owner.unwrap_or_default();
            let nap = sleeping.put_to_sleep({
                let (state, owner) = (Rc::clone(&state), owner.clone());
                move || {
                    let awake = owner.with(|| {
                        let at = Cursor::new(element);
                        part().hydrate::<FROM_SERVER>(&at, &PositionState::new(Position::FirstChild))
                    });
                    *state.borrow_mut() = Some(awake);
                }
            });
            let on_its_turn = {
                let nap = nap.clone();
                move || sleeping.wake(&nap)
            };
            match set_timeout_with_handle(on_its_turn, Duration::ZERO) {
                // Who has left the page meanwhile needs no part of it.
                Ok(task) => {
                    let nap = SendWrapper::new(nap);
                    owner.with(|| {
                        on_cleanup(move || {
                            task.clear();
                            sleeping.forget(&nap);
                        });
                    });
                }
                Err(_) => sleeping.wake(&nap),
            }
            Part(state)
        }

        fn into_owned(self) -> Self::Owned {
            self
        }
    }

    /// Attributes belong to the element around it.
    impl<V: RenderHtml + 'static> AddAnyAttr for Later<V> {
        type Output<SomeNewAttr: Attribute> = Self;

        fn add_any_attr<NewAttr: Attribute>(self, _: NewAttr) -> Self::Output<NewAttr> {
            self
        }
    }

    impl<S: Mountable> Mountable for Part<S> {
        fn unmount(&mut self) {
            if let Some(state) = self.0.borrow_mut().as_mut() {
                state.unmount();
            }
        }

        fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
            if let Some(state) = self.0.borrow_mut().as_mut() {
                state.mount(parent, marker);
            }
        }

        fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
            self.0.borrow().as_ref().is_some_and(|state| state.insert_before_this(child))
        }

        fn elements(&self) -> Vec<Element> {
            self.0.borrow().as_ref().map(Mountable::elements).unwrap_or_default()
        }
    }
}
