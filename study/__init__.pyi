from .errors import StudyError as StudyError
from .errors import UsageError as UsageError
from .notebook import Study as Study
from .notebook import open as open
from .notebook import run as run
