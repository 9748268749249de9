// A link's token stands behind '#', which is not sent. It goes into the form's field, and out of the address.
const field = document.querySelector("input[name=token]");
if (field && !field.value && location.hash.length > 1) {
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}
