"use strict";

// The button is there only where this runs; without it the field can be selected and copied by hand.
const button = document.getElementById("copy");
const secret = document.getElementById("secret");
const copied = document.getElementById("copied");

button.hidden = false;
button.addEventListener("click", async () => {
  secret.select();
  try {
    await navigator.clipboard.writeText(secret.value);
    copied.textContent = "Copied.";
  } catch {
    copied.textContent = "The browser does not let this page copy. The key is selected: copy it with the keyboard.";
  }
});
