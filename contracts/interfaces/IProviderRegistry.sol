// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Entry and exit of providers, and their resources.
interface IProviderRegistry {
    /// @notice True for a provider that has entered and has not asked to leave: it may be named in new jobs.
    function isActive(address provider) external view returns (bool);
}
