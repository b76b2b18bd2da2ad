// Loaded in the head, before anything is drawn: styles know that scripts run, so nothing moves once they do.
document.documentElement.classList.add("js");
