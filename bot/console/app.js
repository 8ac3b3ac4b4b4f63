// Telegram puts who opened this behind the # of the address. It is sent on once; nothing else is done here.
"use strict";
const said = new URLSearchParams(location.hash.slice(1)).get("tgWebAppData");
if (said) {
  const form = document.getElementById("opened");
  form.elements.init_data.value = said;
  history.replaceState(null, "", location.pathname);
  form.submit();
}
