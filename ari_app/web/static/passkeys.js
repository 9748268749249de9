// Passkeys: what our pages ask of the browser (https://www.w3.org/TR/webauthn-3/). Without script, or where the browser
// has none, the buttons stay hidden, and a password does.
"use strict";

const DEEDS = {
  "sign-in": { ask: "/passkeys/options", tell: "/passkeys/sign-in", make: false },
  confirm: { ask: "/passkeys/options", tell: "/passkeys/confirm", make: false },
  add: { ask: "/account/passkeys/options", tell: "/account/passkeys", make: true },
};

async function post(address, said) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(said) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

async function use(box) {
  const { ask, tell, make } = DEEDS[box.dataset.passkey];
  const options = await post(ask, {});
  const publicKey = make
    ? PublicKeyCredential.parseCreationOptionsFromJSON(options)
    : PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const found = make ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey });
  const name = box.querySelector("input")?.value ?? "";
  const to = box.dataset.to ?? "/";
  location.assign((await post(tell, make ? { answer: found.toJSON(), name } : { answer: found.toJSON(), to })).to);
}

for (const box of document.querySelectorAll("[data-passkey]")) {
  if (!globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON) break;
  box.hidden = false;
  const [button, said] = [box.querySelector("button"), box.querySelector("[role=alert]")];
  button.addEventListener("click", async () => {
    button.disabled = true;
    said.textContent = "";
    try {
      await use(box);
    } catch (error) {
      // Whoever turns the browser's question away knows that they did.
      said.textContent = error.name === "NotAllowedError" ? "" : error.message;
    }
    button.disabled = false;
  });
}
