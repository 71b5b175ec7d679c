# The last words of a run that failed: which image, in which rule, what was expected, what to do; or, of one that did not
# start, that another is at work or was killed here.

if workflow.is_main_process:
    failures.say_if_locked(workflow, sys.argv)


onerror:
    failures.say_last(failures.words(workflow.scheduler.failed, since=STARTED))
