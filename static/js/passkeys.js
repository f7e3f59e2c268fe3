/* Forms that create or use a passkey: fetches a challenge, has the browser answer it, and submits the answer. */
"use strict";

{
  async function answer(form) {
    const sent = new FormData();
    sent.append("csrfmiddlewaretoken", form.csrfmiddlewaretoken.value);
    const response = await fetch(form.dataset.options, { method: "POST", body: sent });
    const { publicKey } = await response.json();
    const credential =
      form.dataset.passkey === "create"
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
    return JSON.stringify(credential);
  }

  async function submit(event) {
    event.preventDefault();
    const form = event.target;
    const failed = form.querySelector("[data-failed]");
    failed.hidden = true;
    form.setAttribute("aria-busy", "true");
    try {
      form.credential.value = await answer(form);
      form.submit();
    } catch {
      // Canceled, timed out, or too old a browser: the page's other way remains.
      failed.textContent = failed.dataset.failed;
      failed.hidden = false;
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  for (const form of document.querySelectorAll("[data-passkey]")) form.addEventListener("submit", submit);
}
