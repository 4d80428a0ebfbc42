"""Places to find one's way in, as pure torch functions: rooms of cells, and the plane."""

from frl.envs.navigation.four_rooms import FourRooms as FourRooms
from frl.envs.navigation.four_rooms import FourRoomsParams as FourRoomsParams
from frl.envs.navigation.point_navigation import PointNavigation as PointNavigation
from frl.envs.navigation.point_navigation import PointNavigationParams as PointNavigationParams
from frl.envs.navigation.point_robot import PointRobot as PointRobot
from frl.envs.navigation.point_robot import PointRobotParams as PointRobotParams
