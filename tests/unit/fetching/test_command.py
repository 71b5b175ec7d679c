"""The command that fetches: images of a configuration end where the workflow looks for them."""

import io
import shutil

import numpy as np
import pytest
import yaml
from archive_server import Server, body, status, table, votable
from astropy.io import fits
from runs import Project

from fetching import mast
from fetching.__main__ import main


def tile():
    header = fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 24.1739, "CRVAL2": 15.7836,
                          "CRPIX1": 100.0, "CRPIX2": 100.0, "CDELT1": -6 / 3600, "CDELT2": 6 / 3600})  # fmt: skip
    header["MAGZP"], header["BUNIT"] = 18.0, "DN"
    file = io.BytesIO()
    fits.PrimaryHDU(np.ones((200, 200), np.float32), header).writeto(file)
    return file.getvalue()


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Server() as server:
        project = Project(tmp_path, targets=("ngc0628",), bands=("F770W",), references=(), coarsen=8.0)
        references = {
            "w3_atgauss15": {"from": "archive/{target}/w3", "source": "allwise"},
            "irac4_atgauss4": {"from": "archive/{target}/irac4", "source": "seip"},
        }
        fetch = {"irsa": f"{server.url}/SIA", "tries": 2, "wait": 0}
        project.configure(references=references, fetch=fetch, psf_dir="data")
        project.server = server
        rows = [(f"{server.url}/w3-int-3.fits", "science", 9e-6, 17e-6)]
        server.answers["/SIA/query"] = [body(votable(rows), "application/x-votable+xml")]
        yield project


def test_what_can_be_fetched_is_and_the_rest_is_listed(project, capsys):
    project.server.answers["/w3-int-3.fits"] = [status(503), body(tile())]
    with pytest.raises(SystemExit, match="1 of what was asked for could not be fetched"):
        main(["config.yaml"])
    assert (project.folder / "archive/ngc0628/w3/w3-int-3.fits").read_bytes() == tile()
    assert "ngc0628, irac4_atgauss4: " in capsys.readouterr().err
    # The second time, only the query.
    before = len(project.server.requests)
    with pytest.raises(SystemExit):
        main(["config.yaml"])
    assert not any(path == "/w3-int-3.fits" for path, *_ in project.server.requests[before:])


def test_mosaics_are_fetched_first_to_where_the_workflow_reads_them(project):
    mosaic = project.image("ngc0628", "F770W")
    content = mosaic.read_bytes()
    shutil.rmtree(project.folder / "data/ngc0628")
    config = yaml.safe_load((project.folder / "config.yaml").read_text())
    fetch = config["fetch"] | {"mast": project.server.url, "mosaics": {"ngc0628": {"programme": 2107}}}
    project.configure(**{"references": config["references"], "fetch": fetch, "psf_dir": "data"})
    project.server.answers |= {
        f"/{mast.API}": [
            table({"obsid": 7, "target_name": "NGC 0628"}),
            table({"productFilename": "jw02107-o039_t018_miri_f770w_i2d.fits", "dataURI": "mast:JWST/x.fits"}),
        ],
        f"/{mast.DOWNLOAD}": [body(content)],
        "/w3-int-3.fits": [body(tile())],
    }
    with pytest.raises(SystemExit, match="1 of what"):  # irac4, as above
        main(["config.yaml", "--targets", "ngc0628"])
    name = "ngc0628_miri_lv3_f770w_jw02107-o039_i2d_align.fits"
    assert (project.folder / "data/ngc0628/F770W/lv3" / name).read_bytes() == content
    assert (project.folder / "archive/ngc0628/w3/w3-int-3.fits").is_file()
    before = len(project.server.requests)
    main(["config.yaml", "--targets", "ngc0000"])
    assert len(project.server.requests) == before


def test_a_configuration_that_is_wrong_ends_before_anybody_is_asked(project):
    config = yaml.safe_load((project.folder / "config.yaml").read_text())
    (project.folder / "config.yaml").write_text(yaml.safe_dump({**config, "fetch": {"isra": "x"}}))
    with pytest.raises(SystemExit, match="did you mean 'irsa'"):
        main(["config.yaml"])
    assert project.server.requests == []
