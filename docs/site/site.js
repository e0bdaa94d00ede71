// Tables that are wider than the page scroll, and forms on a phone: with the keyboard, too.
// (Material wraps the tables once the page is there.)
const SCROLLED = '.md-typeset__scrollwrap, .mermaid, .md-typeset p:has(> img[src*="/forms/"])';
document$.subscribe(() => {
  for (const name of document.querySelectorAll('td code')) {
    name.innerHTML = name.innerHTML.replace(/[_/](?=[a-z])/g, '$&<wbr>');
  }
  setTimeout(() => {
    for (const one of document.querySelectorAll(SCROLLED)) {
      one.tabIndex = 0;
    }
  });
});
