# The last words of a run that failed: which image, in which rule, what was expected, what to do.


def reports():
    """Logs of the jobs that fail on purpose, when an image is not anchored."""
    logs = [str(rule.log[0]) for rule in (rules.check, rules.verify_run, rules.verify_target)]
    return {str(Path(log.format(target=target))) for log in logs for target in plan.targets}


def summarise_failures(workflow):
    jobs = workflow.scheduler.failed
    text = failures.failure_summary(jobs, reports=reports(), record=script_log.RECORD, since=STARTED)
    failures.print_at_exit(text)


onerror:
    acceleration.attempt(summarise_failures, workflow)
