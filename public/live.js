// Keeps the parts of a document that move up to date: each element with an id and `data-live` is replaced by what the
// server says now. A document on which nothing is marked asks for nothing. Without this script one reloads the page.
const EVERY = 2000;

const moving = () => [...document.querySelectorAll("[data-live][id]")];

// What the keyboard is on, in the new part: the same link, which may have moved, or what stands in its place.
function twinOf(focused, old, fresh) {
  const stops = (part) => [...part.querySelectorAll("a, button, [tabindex]")];
  const address = focused.getAttribute("href");
  const now = stops(fresh);
  return (address && now.find((stop) => stop.getAttribute("href") === address)) || now[stops(old).indexOf(focused)];
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  // Signed out meanwhile, or the server is away: what is there stays.
  if (!answer.ok || answer.redirected) return;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of moving()) {
    const fresh = now.getElementById(old.id);
    if (!fresh || fresh.isEqualNode(old)) continue;
    const { scrollTop, scrollLeft } = old;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const twin = focused === old ? fresh : focused && twinOf(focused, old, fresh);
    old.replaceWith(fresh);
    fresh.scrollTo(scrollLeft, scrollTop);
    twin?.focus({ preventScroll: true });
  }
  // What is offered once it is over differs from what was offered before: a whole page then.
  if (moving().length === 0) location.reload();
}

async function follow() {
  if (moving().length === 0) return;
  if (document.visibilityState === "visible") await refresh().catch(() => {});
  setTimeout(follow, EVERY);
}

setTimeout(follow, EVERY);
