// Watches a payment while its page is looked at: counts down, asks how it stands, and loads the
// page again when it would look otherwise. Without this script the page reloads itself.
(function () {
  "use strict";
  const root = document.querySelector("[data-watch]");
  if (!root) return;
  const { watch, page, seen } = root.dataset;
  const live = root.querySelector("[data-live]");

  // A page that was loaded because something changed is read from what changed.
  const CHANGED = "xinglin-changed";
  try {
    // Inside another page, the reader may be somewhere else.
    if (sessionStorage.getItem(CHANGED) === page && window.top === window) {
      document.getElementById("standing").focus();
    }
    sessionStorage.removeItem(CHANGED);
  } catch {
    // Storage is switched off: then the page is read from its beginning.
  }

  function load(address) {
    try {
      sessionStorage.setItem(CHANGED, page);
    } catch {
      // As above.
    }
    location.replace(address);
  }

  // Times by the reader's own clock, where it differs from the hospital's.
  for (const time of root.querySelectorAll("time[data-offset]")) {
    const at = new Date(time.dateTime);
    if (-at.getTimezoneOffset() === Number(time.dataset.offset)) continue;
    const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" };
    const day = { year: "numeric", month: "long", day: "numeric" };
    const form = "clockAlone" in time.dataset ? clock : { ...day, ...clock };
    time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, form).format(at);
  }

  // What is left is the server's word; this device's clock only measures how long ago it was said.
  const clock = root.querySelector("[data-left-clock]");
  let end = null;
  let isUp = false;

  function leaves(seconds) {
    end = seconds === null ? null : performance.now() + seconds * 1000;
    isUp = false;
  }

  function twoDigits(number) {
    return String(number).padStart(2, "0");
  }

  function tick() {
    if (end === null || !clock) return;
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    if (left === 0) {
      if (!isUp) {
        isUp = true;
        clock.textContent = clock.dataset.up;
        look();
      }
      return;
    }
    const hours = Math.floor(left / 3600);
    const minutes = Math.floor(left / 60) % 60;
    const start = hours > 0 ? hours + ":" + twoDigits(minutes) : String(minutes);
    clock.textContent = start + ":" + twoDigits(left % 60);
    root.classList.toggle("soon-up", left <= 60);
  }

  if (clock && root.dataset.left !== undefined) {
    leaves(Number(root.dataset.left));
    root.querySelector("[data-left-shown]").hidden = false;
    tick();
    setInterval(tick, 1000);
  }

  // How it stands.
  let again = Number(root.dataset.again || 0);
  let waiting = null;
  let looking = false;

  function lookLater() {
    clearTimeout(waiting);
    if (again > 0 && document.visibilityState === "visible") {
      waiting = setTimeout(look, again * 1000);
    }
  }

  async function look() {
    if (looking) return;
    looking = true;
    try {
      const answer = await fetch(watch, { cache: "no-store", headers: { accept: "application/json" } });
      if (answer.status === 404 || answer.status === 410) {
        load(page);
        return;
      }
      if (answer.ok) {
        const state = await answer.json();
        if (state.seen !== seen) {
          live.textContent = state.label;
          load(page);
          return;
        }
        live.textContent = "";
        again = state.final ? 0 : state.againSeconds;
        leaves(state.leftSeconds);
      }
    } catch {
      live.textContent = live.dataset.offline;
    } finally {
      looking = false;
    }
    lookLater();
  }

  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "visible" && again > 0) look();
  });
  // A page that the browser kept while the payer was at the gateway.
  addEventListener("pageshow", function (event) {
    if (event.persisted && again > 0) look();
  });
  lookLater();
})();
