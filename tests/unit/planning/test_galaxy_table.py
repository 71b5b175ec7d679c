"""The galaxy table as people write it, and what is wrong with it."""

from trees import config_of

from anchoring.planning.plan import make_plan

HEADER = "name,ra,dec,posang,inclination,distance_mpc,size_reff\n"


def test_galaxy_table_is_read_with_integers(tree):
    table = tree / "galaxies.csv"
    table.write_text(HEADER + "ngc0001,10,20,30,40,5,60\neso097_013,1.5,2.5,3,4,5,6\n")
    plan = make_plan(config_of(tree, galaxy_table=str(table)))
    assert plan.galaxies["ngc0001"] == {"ra": 10, "dec": 20, "posang": 30, "inclination": 40, "size_reff": 60}


def test_galaxy_table_as_people_write_it(tree):
    table = tree / "galaxies.csv"
    table.write_text(
        "# all of the survey, degrees\n\nName , RA, DEC, PosAng, Inclination, Size_Reff, other # the columns\n"
        "NGC0001, 10, 20, 30 , 40, 60, 1 # from HyperLeda, roughly\n  # no more of these\n"
        "eso097_013,1.5,2.5,3,4,6,2# by eye\n"
    )
    plan = make_plan(config_of(tree, galaxy_table=str(table)))
    assert not plan.skipped
    assert plan.galaxies["ngc0001"] == {"ra": 10, "dec": 20, "posang": 30, "inclination": 40, "size_reff": 60}
    assert plan.galaxies["eso097_013"]["size_reff"] == 6


def test_a_galaxy_by_its_very_name_comes_before_one_in_another_case(tree):
    table = tree / "galaxies.csv"
    rows = "ngc0001,1,1,1,1,1,1\nNGC0001,2,2,2,2,2,2\nESO097_013,3,3,3,3,3,3\neso097_013#2,4,4,4,4,4,4\n"
    table.write_text(HEADER + rows)
    plan = make_plan(config_of(tree, galaxy_table=str(table)))
    assert (plan.galaxies["ngc0001"]["ra"], plan.galaxies["eso097_013"]["ra"]) == (1, 3)
