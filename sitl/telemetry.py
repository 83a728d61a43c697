"""What the copter tells: one builder for each message, and how often each link wants which.

Nothing but HEARTBEAT and STATUSTEXT goes out unless asked for (ARDUPILOT.md 15).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.arming import ORIGIN_S, prearm_reasons
from skymist.sitl.params import NOMINAL_V, NUM_MOTORS, NUM_SERVOS
from skymist.sitl.sprayer import servo_pwm
from skymist.sitl.state import Mode

if TYPE_CHECKING:
    from skymist.sitl.machine import Machine
    from skymist.sitl.modes import Modes

EPOCH_S = 1_760_000_000
"""The copter's calendar starts here (October 2025), so that runs are the same byte for byte."""
_PREARM_BIT = 1 << 28
_SENSORS = 0x0000_0001 | 0x02 | 0x04 | 0x08 | 0x20 | 0x0400 | 0x0800 | 0x1000 | 0x4000 | 0x8000
_SENSORS |= 0x0001_0000 | 0x0020_0000 | 0x0200_0000 | _PREARM_BIT
_GPS_BIT, _FENCE_BIT, _BATTERY_BIT, _RC_BIT = 0x20, 0x0010_0000, 0x0200_0000, 0x0001_0000
_CELLS_UNUSED = (65535,) * 10
_HOVER_PWM = 1500
_VERSION = {
    "4.5": (4, 5, 7, 255),
    "4.6": (4, 6, 3, 255),
    "4.7.0-dev": (4, 7, 0, 0),
    "4.7": (4, 7, 0, 255),
}
# MISSION_FLOAT, PARAM_FLOAT, MISSION_INT, COMMAND_INT, SET_POSITION_TARGET_GLOBAL_INT,
# TERRAIN is not among them, FLIGHT_TERMINATION, MAVLINK2, MISSION_FENCE, MISSION_RALLY
_FTP = 32
_CAPABILITIES = 1 | 2 | 4 | 8 | 256 | 8192 | 16384 | 32768


class Reporter:
    """Builds messages about one machine."""

    def __init__(self, machine: Machine, modes: Modes) -> None:
        self._machine = machine
        self._modes = modes
        self.builders: dict[int, Callable[[], Any]] = {
            0: self.heartbeat,
            1: self._sys_status,
            2: self._system_time,
            24: self._gps_raw_int,
            30: self._attitude,
            32: self._local_position_ned,
            33: self._global_position_int,
            36: self._servo_output_raw,
            42: self.mission_current,
            49: self.origin,
            74: self._vfr_hud,
            147: self._battery_status,
            148: self._autopilot_version,
            162: self._fence_status,
            168: self._wind,
            193: self._ekf_status_report,
            242: self.home_position,
            245: self._extended_sys_state,
        }

    @property
    def _boot_ms(self) -> int:
        return int(self._machine.state.age_s * 1000) & 0xFFFF_FFFF

    def heartbeat(self) -> Any:
        """HEARTBEAT."""
        state = self._machine.state
        base = 1 | 64 | (128 if state.is_armed else 0)
        if state.mode in (Mode.AUTO, Mode.GUIDED, Mode.RTL, Mode.LOITER, Mode.LAND, Mode.BRAKE):
            base |= 8 | 16
        status = 3
        if state.is_armed:
            status = 4 if not state.is_landed else 3
        if state.is_rc_lost or state.is_ekf_failed or self._machine.battery.level:
            status = 5
        return mavlink.MAVLink_heartbeat_message(2, 3, base, state.shown_mode, status, 3)

    def mission_current(self) -> Any:
        """MISSION_CURRENT."""
        program = self._modes.auto.program
        total = max(0, len(self._machine.mission) - 1)
        is_auto = int(self._machine.state.mode is Mode.AUTO)
        return mavlink.MAVLink_mission_current_message(program.index, total, program.state, is_auto)

    def home_position(self) -> Any:
        """HOME_POSITION; None before there is one."""
        machine = self._machine
        if machine.state.age_s < ORIGIN_S:
            return None
        x, y, z = machine.state.home
        lat_e7, lon_e7 = machine.grid.to_e7(x, y)
        nan = math.nan
        return mavlink.MAVLink_home_position_message(
            lat_e7,
            lon_e7,
            round((machine.grid.amsl_m + z) * 1000),
            y,
            x,
            -z,
            (nan, nan, nan, nan),
            0.0,
            0.0,
            0.0,
            int(machine.state.age_s * 1e6),
        )

    def origin(self) -> Any:
        """GPS_GLOBAL_ORIGIN."""
        grid = self._machine.grid
        return mavlink.MAVLink_gps_global_origin_message(
            grid.lat_e7, grid.lon_e7, round(grid.amsl_m * 1000), 0
        )

    def _sys_status(self) -> Any:
        machine = self._machine
        battery, modes = machine.battery, self._modes
        is_fenced = machine.fence.is_enabled
        present = _SENSORS | _FENCE_BIT
        enabled = _SENSORS | (_FENCE_BIT if is_fenced else 0)
        health = present
        if not machine.state.is_armed and prearm_reasons(machine, modes.estimator):
            health &= ~_PREARM_BIT
        if not modes.estimator.has_gps(machine):
            health &= ~_GPS_BIT
        if machine.fence.breach:
            health &= ~_FENCE_BIT
        if battery.level:
            health &= ~_BATTERY_BIT
        if machine.faults.rc_lost:
            health &= ~_RC_BIT
        return mavlink.MAVLink_sys_status_message(
            present,
            enabled,
            health,
            200,
            min(65535, round(battery.voltage_v * 1000)),
            min(32767, round(battery.current_a * 100)),
            battery.remaining_percent(machine.params),
            0,
            0,
            0,
            0,
            0,
            0,
        )

    def _system_time(self) -> Any:
        unix_us = int((EPOCH_S + self._machine.state.now_s) * 1e6)
        return mavlink.MAVLink_system_time_message(unix_us, self._boot_ms)

    def _gps_raw_int(self) -> Any:
        machine = self._machine
        state = machine.state
        time_us = int(state.age_s * 1e6)
        if not self._modes.estimator.has_gps(machine):
            return mavlink.MAVLink_gps_raw_int_message(time_us, 1, 0, 0, 0, 9999, 65535, 0, 0, 0)
        lat_e7, lon_e7 = self._place()
        speed = math.hypot(state.vx, state.vy)
        course = math.degrees(math.atan2(state.vx, state.vy)) % 360
        height_mm = round((machine.grid.amsl_m + state.z) * 1000)
        return mavlink.MAVLink_gps_raw_int_message(
            time_us,
            6,
            lat_e7,
            lon_e7,
            height_mm,
            121,
            200,
            round(speed * 100),
            min(35999, round(course * 100)),
            10,
            height_mm,
            300,
            300,
            40,
        )

    def _place(self) -> tuple[int, int]:
        """Where the copter takes itself to be."""
        machine = self._machine
        state, air = machine.state, machine.air
        return machine.grid.to_e7(state.x + air.error_x, state.y + air.error_y)

    def _attitude(self) -> Any:
        yaw = math.remainder(math.pi / 2 - self._machine.state.heading_rad, math.tau)
        return mavlink.MAVLink_attitude_message(self._boot_ms, 0.0, 0.0, yaw, 0.0, 0.0, 0.0)

    def _local_position_ned(self) -> Any:
        state, air = self._machine.state, self._machine.air
        return mavlink.MAVLink_local_position_ned_message(
            self._boot_ms,
            state.y + air.error_y,
            state.x + air.error_x,
            -state.z,
            state.vy,
            state.vx,
            -state.vz,
        )

    def _global_position_int(self) -> Any:
        machine = self._machine
        state = machine.state
        lat_e7, lon_e7 = self._place()
        if state.age_s < ORIGIN_S:
            lat_e7 = lon_e7 = 0
        heading = (math.pi / 2 - state.heading_rad) % math.tau
        return mavlink.MAVLink_global_position_int_message(
            self._boot_ms,
            lat_e7,
            lon_e7,
            round((machine.grid.amsl_m + state.z) * 1000),
            round((state.z - state.home[2]) * 1000),
            round(state.vy * 100),
            round(state.vx * 100),
            round(-state.vz * 100),
            min(35999, round(math.degrees(heading) * 100)),
        )

    def _servo_output_raw(self) -> Any:
        machine = self._machine
        state, params, sprayer = machine.state, machine.params, machine.sprayer
        motor = 1000
        if state.is_armed:
            motor = 1100 if state.is_landed else _HOVER_PWM
        return mavlink.MAVLink_servo_output_raw_message(
            int(state.age_s * 1e6) & 0xFFFF_FFFF,
            0,
            *(motor,) * NUM_MOTORS,
            *(
                servo_pwm(params, n, sprayer, state.pump_frac)
                for n in range(NUM_MOTORS + 1, NUM_SERVOS + 1)
            ),
        )

    def _vfr_hud(self) -> Any:
        machine = self._machine
        state = machine.state
        speed = math.hypot(state.vx, state.vy)
        heading = math.degrees(math.pi / 2 - state.heading_rad) % 360
        return mavlink.MAVLink_vfr_hud_message(
            speed, speed, int(heading), 0, machine.grid.amsl_m + state.z, state.vz
        )

    def _battery_status(self) -> Any:
        machine = self._machine
        battery = machine.battery
        volts = (min(65534, round(battery.voltage_v * 1000)), *_CELLS_UNUSED[1:])
        return mavlink.MAVLink_battery_status_message(
            0,
            0,
            0,
            32767,
            volts,
            min(32767, round(battery.current_a * 100)),
            round(battery.consumed_mah),
            round(battery.consumed_mah * NOMINAL_V * 0.036),
            battery.remaining_percent(machine.params),
            0,
            1 + int(battery.level),
        )

    def _autopilot_version(self) -> Any:
        machine = self._machine
        major, minor, patch, kind = _VERSION[machine.params.firmware.value]
        version = major << 24 | minor << 16 | patch << 8 | kind
        uid = int(machine.params["MAV_SYSID"])
        return mavlink.MAVLink_autopilot_version_message(
            _CAPABILITIES | (_FTP if machine.has_files else 0),
            version,
            0,
            0,
            0,
            tuple(b"embedded"),
            (0,) * 8,
            (0,) * 8,
            0,
            0,
            uid,
        )

    def _fence_status(self) -> Any:
        fence, state = self._machine.fence, self._machine.state
        kind = 0
        for bit, shown in ((8, 1), (1, 2), (6, 3)):
            if fence.breach & bit:
                kind = shown
        since_ms = int((fence.breached_s - state.booted_s) * 1000) if fence.num_breaches else 0
        return mavlink.MAVLink_fence_status_message(
            int(bool(fence.breach)), fence.num_breaches, kind, max(0, since_ms)
        )

    def _wind(self) -> Any:
        """WIND: the estimate is taken as right; where it blows from, right from north."""
        air = self._machine.air
        east, north = air.wind
        from_deg = math.degrees(math.atan2(-east, -north))
        return mavlink.MAVLink_wind_message(from_deg, math.hypot(east, north), 0.0)

    def _ekf_status_report(self) -> Any:
        machine = self._machine
        has_position = self._modes.estimator.has_position(machine)
        variance = 0.02 if has_position else 1.0
        return mavlink.MAVLink_ekf_status_report_message(
            self._modes.estimator.flags(machine), variance, variance, 0.02, 0.02, 0.0, 0.0
        )

    def _extended_sys_state(self) -> Any:
        machine = self._machine
        state = machine.state
        shown = 1 if state.is_landed else 2
        if not state.is_landed and self._modes.is_landing:
            shown = 4
        elif not state.is_landed and machine.guidance.manoeuvre.name == "TAKEOFF":
            shown = 3
        return mavlink.MAVLink_extended_sys_state_message(0, shown)
