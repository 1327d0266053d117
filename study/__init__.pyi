from .errors import StudyError as StudyError
from .errors import UsageError as UsageError
from .notebook.run import run as run
from .notebook.study import Study as Study
from .notebook.study import open as open
