/* Posts the code after the # of an invitation's link. Browsers send it nowhere on their own, and it leaves the address. */
"use strict";

{
  const field = document.querySelector("[data-code]");
  const code = location.hash.slice(1);
  if (field && code) {
    history.replaceState(null, "", location.pathname);
    field.value = code;
    field.form.submit();
  }
}
