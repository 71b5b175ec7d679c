"""How well references are made from archive images: scale, zero level and its stated error, on simulated skies.

    python benchmarks/references.py OUT.csv [--skies 30] [--first 1] [--cases irac4:SEIP:1 w3:AllWISE:2 ...]

Every sky has archive images of its own unit, pixels and projection, some in two tiles of different levels, with
stars, zodiacal light and its gradient. One row per reference: true and found sky at the galaxy, the stated error, and
of some the scale of a reference that is made of images without noise or sky. At the end, a line per case on the screen.
"""

import argparse
import csv
import sys
import tempfile
from pathlib import Path

import numpy as np
from astropy.io import fits

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "scripts")]

import calibrate_reference  # noqa: E402
import mosaic_reference  # noqa: E402
import zero_reference  # noqa: E402
from anchoring.files import made_references  # noqa: E402
from anchoring.images import convolution, headers  # noqa: E402
from simulation.archives import NATIVE, native_image, write_archive_images  # noqa: E402
from simulation.fields import gaussian_kernel  # noqa: E402
from simulation.skies import Galaxy, Grid, Sky  # noqa: E402
from simulation.trees import mosaic_grid, place, wcs_header, write_hdus  # noqa: E402

CASES = ("w1:unWISE:1", "w1:AllWISE:2", "w2:AllWISE:1", "w2:unWISE:2", "w3:AllWISE:2", "w3:AllWISE:1", "irac1:SEIP:1",
         "irac2:SEIP:2", "irac4:SEIP:1")  # fmt: skip
FIELD, SIDE, MARGIN = (140.0, 120.0), 850.0, 5.0  # arcsec, arcsec, arcmin
RESOLUTION = {"w1": 7.5, "w2": 7.5, "w3": 15.0, "irac1": 4.0, "irac2": 4.0, "irac4": 4.0}
COLUMNS = ("sky", "case", "truth", "found", "error", "share", "scale")


def measured(folder, seed, case, with_scale, with_table):
    """A row of the table."""
    band, survey, tiles = case.split(":")
    rng = np.random.default_rng([seed, 19])
    sky = Sky(stars=float(rng.uniform(3, 25)), peak=float(rng.uniform(1, 6)), diffuse=float(rng.uniform(0, 0.3)))
    name = f"sky{seed}"
    *centre, posang = place(name, seed)
    galaxy = Galaxy(name, FIELD, sky, seed=seed, posang=posang)
    reff = 1.678 * sky.scale_length * galaxy.size
    row = dict(
        zip(("ra", "dec", "posang", "inclination", "size_reff"), (*centre, posang, sky.inclination, reff), strict=True)
    )
    grid = mosaic_grid(FIELD, 2.0, float(rng.uniform(0, 360)), (0.0, 1.0))
    mosaic = folder / "mosaic.fits"
    header = wcs_header(grid, centre)
    write_hdus(mosaic, [fits.PrimaryHDU(), fits.ImageHDU(np.ones(grid.shape, np.float32), header, name="SCI")])
    common = {"tiles": int(tiles), "side": SIDE}

    def made(stem, **changes):
        paths, levels, _ = write_archive_images(folder, galaxy, centre, band, survey, stem=stem, **common, **changes)
        steps = [str(folder / f"{stem}_step{index}.fits") for index in range(len(paths))]
        for number, (path, step) in enumerate(zip(paths, steps, strict=True), start=1):
            calibrate_reference.main(str(path), [str(mosaic)], step, band, MARGIN, number=number)
        if len(steps) == 1:
            return steps[0], levels
        mosaic_reference.main(steps, str(folder / f"{stem}_mosaic.fits"))
        return str(folder / f"{stem}_mosaic.fits"), levels

    noisy, levels = made("noisy")
    truth = levels[0]
    if int(tiles) > 1 or with_scale:
        ideal, _ = made("ideal", noise=0.0, sky=0.0, gradient=0.0)
    if int(tiles) > 1:
        # Levels of tiles are matched: the truth is what is left of the sky at the galaxy.
        with_sky, _ = made("with_sky", noise=0.0)
        one, other = (made_references.read_step(path) for path in (with_sky, ideal))
        x, y = np.rint(headers.celestial_wcs(one.header).all_world2pix(*centre, 0)).astype(int)
        truth = float((one.data - other.data)[y - 3 : y + 4, x - 3 : x + 4].mean())
    kind = "plane" if band == "w3" else "constant"
    found = zero_reference.measured(
        made_references.read_step(noisy), kind, band, 4.0, row if with_table else None, None
    )
    factor = scale(ideal, galaxy, band, centre) if with_scale else np.nan
    row = (seed, case, truth, found.level, found.error, found.share, factor)
    return dict(zip(COLUMNS, row, strict=True))


def scale(path, galaxy, band, centre):
    """Slope of a reference, convolved, on what the sky is at its resolution, on the pixels of the galaxy."""
    image, native, fwhm = made_references.read_step(path), NATIVE[band], RESOLUTION[band]
    wcs, pixel = headers.celestial_wcs(image.header), headers.pixel_scale(image.header)
    kernel = convolution.resample_kernel(*gaussian_kernel(native.fwhm, fwhm), pixel)
    found, _ = convolution.convolve_image(image.data, kernel)
    pc = wcs.pixel_scale_matrix * 3600 / pixel
    x, y = (float(v) for v in wcs.all_world2pix(*centre, 0))
    grid = Grid(image.data.shape, pixel, float(np.degrees(np.arctan2(pc[0, 1], pc[1, 1]))), (x, y))
    truth = native_image(
        galaxy, band, native._replace(fwhm=fwhm), grid, galaxy._stars._replace(flux=galaxy._stars.flux * 0)
    )
    rows, columns = np.indices(image.data.shape)
    near = (np.hypot(columns - x, rows - y) * pixel < 120) & np.isfinite(found)
    t, f = truth[near] - truth[near].mean(), found[near] - found[near].mean()
    return float((t * f).sum() / (t * t).sum())


def summed_up(rows):
    """Lines on each case: bias and rms of the zero, the shares within 1 and 2 stated errors, the worst scale."""
    names = ("bias", "rms", "worst", "stated")
    yield f"{'case':16s}   n {' '.join(f'{name:>9s}' for name in names)}  in 1  in 2 worst scale"
    for case in [*dict.fromkeys(row["case"] for row in rows), "all"]:
        of_case = [row for row in rows if case in (row["case"], "all")]
        off, error, scales = (
            np.array([float(v) for v in column])
            for column in zip(
                *((float(r["found"]) - float(r["truth"]), r["error"], r["scale"]) for r in of_case), strict=True
            )
        )
        within = [np.mean(np.abs(off) <= n * error) for n in (1, 2)]
        yield (
            f"{case:16s} {len(off):3d} {off.mean():9.5f} {np.sqrt((off**2).mean()):9.5f} {np.abs(off).max():9.5f} "
            f"{np.median(error):9.5f} {within[0]:5.2f} {within[1]:5.2f} {np.nanmax(np.abs(scales - 1)):.5f}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--skies", type=int, default=30)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--scales", type=int, default=3, metavar="N", help="skies whose scale is measured, too")
    parser.add_argument("--no-table", dest="table", action="store_false", help="the galaxy is not in a galaxy_table")
    parser.add_argument("--cases", nargs="+", default=CASES)
    options = parser.parse_args()
    rows = []
    with open(options.out, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for seed in range(options.first, options.first + options.skies):
            for case in options.cases:
                with tempfile.TemporaryDirectory() as folder:
                    rows.append(
                        measured(Path(folder), seed, case, seed < options.first + options.scales, options.table)
                    )
                writer.writerow(rows[-1])
                file.flush()
    print("\n".join(summed_up(rows)))


if __name__ == "__main__":
    main()
