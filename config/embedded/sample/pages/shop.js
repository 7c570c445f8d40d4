// What this shop tells the program about its visitors; the calls of a page come from the shop's server.
(function () {
  "use strict";
  window.rekindle = window.rekindle || function () {
    (window.rekindle.q = window.rekindle.q || []).push(arguments);
  };
  var data = JSON.parse(document.getElementById("shop-data").textContent);
  data.calls.forEach(function (call) { window.rekindle.apply(null, call); });
  // The server signs an address for one visitor only, so the forms carry which one this is.
  document.addEventListener("DOMContentLoaded", function () {
    window.rekindle("visitor", function (id) {
      document.querySelectorAll("input[name=visitor]").forEach(function (field) { field.value = id; });
    });
  });
})();
