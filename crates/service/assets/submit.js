"use strict";

// Where this does not run, the button sends the form.
document.getElementById("answer").submit();
