// Before the page is ready: htmx writes no style of its own into it, which `colours.css` has instead, and makes
// no functions of texts.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
