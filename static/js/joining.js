/* Posts the code after the # of an invitation's link. Browsers send it nowhere on their own, and it leaves the address. */
"use strict";

{
  function join() {
    const code = location.hash.slice(1);
    if (!code) return;
    history.replaceState(null, "", location.pathname);
    const form = document.querySelector("[data-join]");
    form.password?.remove(); // another link: first see whose it is
    form.code.value = code;
    form.submit();
  }

  join();
  addEventListener("hashchange", join); // another link, pasted into this page's address
}
