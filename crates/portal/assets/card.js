// Puts Stripe's own fields for a card into the page, and sends them to Stripe. The card's number
// never reaches this server.
(function () {
  "use strict";
  const form = document.querySelector("[data-card]");
  if (!form) return;
  const { key, secret, back, busy } = form.dataset;
  const problem = form.querySelector("[data-card-problem]");
  const button = form.querySelector("button");
  const pay = button.textContent;

  function say(words) {
    problem.textContent = words;
    problem.hidden = !words;
  }

  function fail() {
    say(problem.dataset.failed);
    button.hidden = true;
  }

  if (typeof window.Stripe !== "function") {
    fail();
    return;
  }

  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const stripe = window.Stripe(key, { locale: document.documentElement.lang.slice(0, 2) });
  const elements = stripe.elements({
    clientSecret: secret,
    appearance: { theme: dark ? "night" : "stripe", disableAnimations: still },
  });
  const fields = elements.create("payment");
  fields.on("ready", function () {
    button.disabled = false;
  });
  fields.on("loaderror", fail);
  fields.mount(form.querySelector("[data-card-fields]"));

  form.addEventListener("submit", async function (event) {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    button.textContent = busy;
    say("");
    let error;
    try {
      const answer = await stripe.confirmPayment({
        elements,
        confirmParams: { return_url: new URL(back, location.href).href },
        // A bank that wants to see the payer itself is gone to; everybody else stays here.
        redirect: "if_required",
      });
      error = answer.error;
    } catch {
      error = {};
    }
    if (error) {
      say(error.message || problem.dataset.failed);
      button.disabled = false;
      button.textContent = pay;
      return;
    }
    // Stripe says yes; the page believes its server, which asks.
    document.querySelector("[data-confirm]").requestSubmit();
  });
})();
