"""What a network says of its references, in words for a person who has to decide."""

from .text import band_label, rounded

DECIDE = (
    "Look at its image and at how its sky was subtracted. Nothing was left out: to leave it out, take it out of "
    "external_bands."
)


def network_words(network, simplify_labels):
    """Sentences on the references of a Network and on what depends on none of them."""
    tested = [reference for reference in network.references if reference.w is not None]
    tested.sort(key=lambda reference: -abs(reference.w))
    known = all(reference.reference_zero_err is not None for reference in tested)
    sentences = []
    if not network.references:
        sentences.append("No pair on an external reference could be fitted.")
    elif not tested:
        sentences.append("With one reference, nothing tells whether its zero level is right.")
    elif network.suspect:
        sentences += _suspect(tested, simplify_labels)
    elif network.disagree:
        sentences += _disagreeing(tested, known, simplify_labels)
    else:
        sentences.append(f"The {len(tested)} references agree within their errors.")
        least = ", ".join(
            f"{band_label(r.reference, simplify_labels)} from {r.detectable:.2g}"
            for r in sorted(tested, key=lambda r: r.reference)
        )
        sentences.append(f"An error of a zero level would be found, in 4 of 5 cases: {least} MJy/sr.")
    if tested and not known:
        sentences.append(
            "Zero levels without a known error are taken as exact, which none is: set reference_zero_err for all, and "
            "a wrong one can be named."
        )
    sentences += [f"{image.band} {image.name}: {image.reason}." for image in network.images if image.reason]
    return sentences


def _suspect(tested, simplify_labels):
    first, second = tested[:2]
    name, other = (band_label(r.reference, simplify_labels) for r in (first, second))
    yield f"{name} is suspect: {_zero_words(first)}"
    yield f"That is {abs(first.w):.1f} times its expected error; next is {other} with {abs(second.w):.1f}."
    yield DECIDE
    yield "If two references are wrong together, a right one can be named: compare with other targets."
    if first.alike is not None and first.alike > 0.9:
        yield f"It is hard to tell from {band_label(first.alike_with, simplify_labels)} here."


def _disagreeing(tested, known, simplify_labels):
    first, second = tested[:2]
    if len(tested) == 2:
        name, other = (band_label(r.reference, simplify_labels) for r in (first, second))
        yield f"{name} and {other} disagree: by {other}, the zero level of {name} is {_zero_words(first, start='')}"
        yield "Of two references, neither can be named."
        return
    listed = ", ".join(f"{band_label(r.reference, simplify_labels)} {abs(r.w):.1f}" for r in tested)
    yield f"The references disagree by more than their errors: times their expected error, {listed}."
    if known:
        yield "No single one explains it: look at all of them, or larger errors of their zero levels are due."


def _zero_words(reference, start="by all others, its zero level is "):
    """Which way a zero level is off, and by how much."""
    side = "too high" if reference.zero > 0 else "too low"
    return f"{start}{rounded(abs(reference.zero), reference.zero_err)} MJy/sr {side}."
