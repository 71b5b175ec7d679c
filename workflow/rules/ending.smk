# The last words of a run that failed: which image, in which rule, what was expected, what to do.


onerror:
    ending.say_last(ending.words(workflow.scheduler.failed, since=STARTED))
