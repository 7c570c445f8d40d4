// What this shop tells the program about its visitors; what to say on a page comes from the shop's server.
(function () {
  "use strict";
  window.rekindle = window.rekindle || function () {
    (window.rekindle.q = window.rekindle.q || []).push(arguments);
  };
  var data = JSON.parse(document.getElementById("shop-data").textContent);
  data.calls.forEach(function (call) { window.rekindle.apply(null, call); });

  // The server signs an address for one visitor only, so it must hear which one this is.
  document.addEventListener("DOMContentLoaded", function () {
    window.rekindle("visitor", function (id) {
      document.querySelectorAll("input[name=visitor]").forEach(function (field) { field.value = id; });
      if (!data.identify) { return; }
      fetch("/identity", { method: "POST", body: new URLSearchParams({ visitor: id }) }).then(function (answer) {
        return answer.status === 200 ? answer.json() : null;
      }).then(function (identity) {
        if (!identity) { return; }
        window.rekindle("identify", identity);
        fetch("/identity/told", {
          method: "POST", keepalive: true, body: new URLSearchParams({ sign_in: data.identify })
        }).catch(function () { /* the next page tells it once more */ });
      }).catch(function () { /* the next page tries again */ });
    });
  });
})();
