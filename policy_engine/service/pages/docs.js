// Everything comes from this service: no fonts, telemetry, assistant or proxy of anybody else.
Scalar.createApiReference("#reference", {
  url: "/openapi.json",
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: "never",
  defaultOpenAllTags: false,
  documentDownloadType: "direct",
  hiddenClients: true,
  customCss: `
    .light-mode {
      --scalar-color-2: #565656;
      --scalar-color-3: #626262;
      --scalar-color-green: #00683f;
      --scalar-color-orange: #a83900;
      --scalar-color-blue: #005a94;
      --scalar-color-red: #b3261e;
      --scalar-color-purple: #6b3fb5;
    }
    .dark-mode {
      --scalar-color-3: #a0a0a0;
    }
  `,
});

// What keeps people from using Scalar 1.46 with a keyboard or a screen reader, mended as it appears.
const MENDS = [
  ["button[aria-selected]", (one) => {
    one.setAttribute("aria-current", one.getAttribute("aria-selected") === "true" ? "location" : "false");
    one.removeAttribute("aria-selected");
  }],
  ["aside[role=navigation]", (one) => one.removeAttribute("role")],
  ["button[role=search]", (one) => {
    one.removeAttribute("role");
    one.setAttribute("aria-label", "Search");
  }],
  [".group\\/copy-button:not([aria-label])", (one) => one.setAttribute("aria-label", "Copy")],
  ["ul.endpoints:not([tabindex])", (one) => one.setAttribute("tabindex", "0")],
  [".response-card[role=region]", (one) => one.setAttribute("role", "group")],
];

function mend() {
  for (const [found, change] of MENDS) document.querySelectorAll(found).forEach(change);
}

new MutationObserver(mend).observe(document.getElementById("reference"), {
  subtree: true, childList: true, attributes: true, attributeFilter: ["role", "aria-selected"],
});
mend();
