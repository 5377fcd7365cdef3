"""Checks, release, grading and feedback of the course, built on nbgrader's plugin points.

A submission is mended and becomes a paper; its cells run in a sandbox and its tests here; the
verdict is kept on disk, nbgrader's steps carry it into the gradebook, and from there every page and
table is written. The modules in the order of the work:

    __main__     the commands
    course       where everything lies; units and exercises
    cells        kind and name of a cell
    files        files that are there whole or not at all

    checking     what every check is made of; the checks stand in checks/, and in mutants/ the
                 wrong answers that they must name
    progress     what a learner has passed

    outputs      execute solutions/ and store what it shows
    release      solutions/ -> course/
    bundle       what a class is given

    selfcheck    a student's look before handing in
    submission   pack a unit, collect what came in
    rescue       mend a file
    doctor       mend a notebook's cells

    papers       the paper of a submission: all that its verdict depends on
    seeds        random cases that a student cannot know
    examination  examine a paper
    sandbox/     where the student's cells run
    withholding  the utils of the sandbox, without the answers
    judge        where the instructor's tests run
    inspection   what a person should look at
    verdicts     verdicts on disk, each for one paper
    crew         the processes or machines that find them

    autograde    the steps of nbgrader that are ours
    grading      grade a class
    regrade      grade it again after a check was mended
    gradebook    the one door to nbgrader's database

    records      what is kept of graded submissions, read back
    feedback     pages for students
    report       the class, as a table and as a page
    pictures     its pictures
    platforms    files for Canvas and Moodle
    similarity   code that students share
    trace        what a score stands on

    demo         a made-up class goes once around
    benchmark    plain nbgrader and ours, side by side
"""
