"""The submission doctor: put a notebook right that suffered on its way, and say what was wrong."""

from copy import deepcopy


def mend(notebook, released, sources):
    """Put back the instructor's cells that a submission lost or changed, in place.

    notebook: the submission
    released: the notebook as students were given it
    sources : {grade_id: (cell type, source, locked)} of the gradebook, hidden tests included
    returns : sentences on what was found
    """
    findings, place = [], 0
    for cell in released.cells:
        if "nbgrader" not in cell.metadata:
            continue
        grade_id = cell.metadata.nbgrader.grade_id
        ids = [own.metadata.get("nbgrader", {}).get("grade_id") for own in notebook.cells]
        if grade_id in ids:
            place = ids.index(grade_id) + 1
        else:
            notebook.cells.insert(place, deepcopy(cell))
            place += 1
            findings.append(f"the cell {grade_id} was missing; it is as it was released")
    for cell in notebook.cells:
        kind, source, locked = sources.get(
            cell.metadata.get("nbgrader", {}).get("grade_id"), (None, None, False)
        )
        if locked and cell.cell_type == kind:
            cell.source = source
    return findings
