// Tables that are wider than the page scroll: with the keyboard, too. (Material wraps them
// once the page is there.)
document$.subscribe(() =>
  setTimeout(() => {
    for (const one of document.querySelectorAll('.md-typeset__scrollwrap, .mermaid')) {
      one.tabIndex = 0;
    }
  }),
);
